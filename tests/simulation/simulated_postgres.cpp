#include "simulated_postgres.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

namespace cnx::simulation {
namespace {

constexpr uint32_t kInt8 = 20;

void write_c_string(ByteWriter& writer, std::string_view text) {
  writer.write_text(text);
  writer.write<uint8_t>(0);
}

Bytes begin(const SimulatedTransaction& transaction) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('B');
  writer.write<uint64_t>(transaction.final_lsn.value());
  writer.write<int64_t>(0);
  writer.write<uint32_t>(7);
  return bytes;
}

Bytes relation() {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('R');
  writer.write<uint32_t>(SimulatedPostgres::kTable);
  write_c_string(writer, "public");
  write_c_string(writer, "counted");
  writer.write<uint8_t>('d');
  writer.write<int16_t>(2);
  for (const char* name : {"id", "value"}) {
    writer.write<uint8_t>(std::strcmp(name, "id") == 0 ? 1 : 0);
    write_c_string(writer, name);
    writer.write<uint32_t>(kInt8);
    writer.write<int32_t>(-1);
  }
  return bytes;
}

Bytes update(const SimulatedRow& row) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('U');
  writer.write<uint32_t>(SimulatedPostgres::kTable);
  writer.write<uint8_t>('N');
  writer.write<int16_t>(2);
  for (int64_t number : {row.key, row.value}) {
    std::string text = std::to_string(number);
    writer.write<uint8_t>('t');
    writer.write<int32_t>(static_cast<int32_t>(text.size()));
    writer.write_text(text);
  }
  return bytes;
}

Bytes commit_message(const SimulatedTransaction& transaction) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write<uint8_t>('C');
  writer.write<uint8_t>(0);
  writer.write<uint64_t>(transaction.final_lsn.value());
  writer.write<uint64_t>(transaction.end_lsn.value());
  writer.write<int64_t>(0);
  return bytes;
}

Error lost() { return Error(ErrorKind::unavailable, "the simulated connection was lost"); }

}  // namespace

void SimulatedPostgres::commit(std::vector<SimulatedRow> rows, bool close_lsns) {
  change::Lsn final_lsn(wal_end_.value() + (close_lsns ? 0 : 40 + rows.size() * 8));
  change::Lsn end_lsn(final_lsn.value() + 48);
  transactions_.push_back({final_lsn, end_lsn, std::move(rows)});
  wal_end_ = end_lsn;
}

Result<capture::Opened> SimulatedSlot::open(change::Position held, TimePoint) {
  if (held.lsn < postgres_.confirmed() && held.ordinal == 0) {
    return fail(ErrorKind::state, "the graph is behind the slot");
  }
  if (unlucky()) return fail(lost());
  open_ = true;
  described_ = false;
  queued_.clear();
  told_ = {};
  next_ = 0;
  // The server starts at its own confirmed position, whatever the client holds.
  while (next_ < postgres_.transactions().size() && postgres_.transactions()[next_].end_lsn <= postgres_.confirmed()) ++next_;
  return capture::Opened{.status_interval = std::chrono::seconds(15)};
}

Result<std::optional<postgres::StreamMessage>> SimulatedSlot::try_read() {
  if (!open_ || unlucky()) return fail(lost());
  if (queued_.empty() && next_ < postgres_.transactions().size()) queue_transaction(postgres_.transactions()[next_++]);
  if (!queued_.empty()) {
    Bytes bytes = std::move(queued_.front());
    queued_.pop_front();
    return std::optional<postgres::StreamMessage>(message(std::move(bytes)));
  }
  if (told_ == postgres_.wal_end()) return std::optional<postgres::StreamMessage>();
  told_ = postgres_.wal_end();
  return std::optional<postgres::StreamMessage>(
      postgres::KeepAlive{.wal_end = told_, .reply_requested = random_() % 4 == 0});
}

void SimulatedSlot::queue_transaction(const SimulatedTransaction& transaction) {
  queued_.push_back(begin(transaction));
  if (!described_) queued_.push_back(relation());
  described_ = true;
  for (const SimulatedRow& row : transaction.rows) queued_.push_back(update(row));
  queued_.push_back(commit_message(transaction));
}

postgres::StreamMessage SimulatedSlot::message(Bytes bytes) const {
  void* memory = std::malloc(bytes.size());
  std::memcpy(memory, bytes.data(), bytes.size());
  return postgres::WalData{
      .buffer = change::Buffer(static_cast<const char*>(memory), [](const void* p) { std::free(const_cast<void*>(p)); }),
      .payload = {static_cast<const std::byte*>(memory), bytes.size()}};
}

Status SimulatedSlot::send_status(const postgres::StatusUpdate& update) {
  if (!open_ || unlucky()) return fail(lost());
  on_confirm_(update.flushed);
  postgres_.confirm(update.flushed);
  return {};
}

}  // namespace cnx::simulation
