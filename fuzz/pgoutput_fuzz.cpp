// Input: one byte of decoder state (1 = inside a stream block, 2 = streaming parallel, 4 = the rest
// is an envelope), then one message.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "postgres/pgoutput.hpp"
#include "postgres/replication.hpp"

namespace {

// Reads every byte that a view claims to have.
size_t touch(const cnx::postgres::Tuple& tuple) {
  size_t sum = 0;
  for (const auto& datum : tuple) {
    for (char c : datum.text) sum += static_cast<unsigned char>(c);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cnx;
  if (size == 0) return 0;
  postgres::DecoderState state{(data[0] & 2) != 0, (data[0] & 1) != 0};
  BytesView payload(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  if ((data[0] & 4) != 0) {
    auto envelope = postgres::decode_envelope(payload);
    if (!envelope) return 0;
    auto* wal = std::get_if<postgres::WalData>(&*envelope);
    if (wal == nullptr) return 0;
    payload = wal->payload;
  }
  bool before = state.in_stream_block;
  auto message = postgres::decode(payload, state);
  if (!message) {
    CNX_CHECK(state.in_stream_block == before, "an error leaves the decoder's state");
    return 0;
  }
  if (auto* row = std::get_if<postgres::RowMessage>(&*message)) {
    volatile size_t sum = touch(row->row) + touch(row->old_row);
    static_cast<void>(sum);
    CNX_CHECK(row->row.size() + row->old_row.size() <= payload.size(), "each column costs a byte");
  }
  return 0;
}
