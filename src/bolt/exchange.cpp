#include "bolt/exchange.hpp"

#include "base/check.hpp"
#include "bolt/messages.hpp"
#include "bolt/packstream.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;

// The server's messages by tag.
constexpr uint8_t kSuccess = 0x70;
constexpr uint8_t kRecord = 0x71;
constexpr uint8_t kIgnored = 0x7E;
constexpr uint8_t kFailure = 0x7F;

// What was sent is cut off the front when it is this much, so that a long pipeline does not keep
// all it ever sent.
constexpr size_t kCompactBytes = size_t{1} << 20;
// A buffer larger than this is given back when it is empty: one huge batch does not hold its memory
// for ever.
constexpr size_t kKeepBytes = size_t{8} << 20;

cnx::Error malformed(std::string what) {
  return cnx::Error(ErrorKind::malformed, "the server's answer: " + std::move(what));
}

std::string text(const Map& map, std::string_view key) {
  const auto* value = map.get_if<std::string>(key);
  return value == nullptr ? std::string() : *value;
}

// Up to 5.6 the code is called `code`, from 5.7 on `neo4j_code`.
Failure read_failure(const Map& metadata) {
  Failure failure;
  failure.code = text(metadata, metadata.find("neo4j_code") != nullptr ? "neo4j_code" : "code");
  failure.message = text(metadata, "message");
  failure.gql_status = text(metadata, "gql_status");
  return failure;
}

}  // namespace

std::string_view to_string(Request request) {
  switch (request) {
    case Request::hello:
      return "HELLO";
    case Request::goodbye:
      return "GOODBYE";
    case Request::reset:
      return "RESET";
    case Request::run:
      return "RUN";
    case Request::begin:
      return "BEGIN";
    case Request::commit:
      return "COMMIT";
    case Request::rollback:
      return "ROLLBACK";
    case Request::discard:
      return "DISCARD";
    case Request::pull:
      return "PULL";
    case Request::route:
      return "ROUTE";
    case Request::logon:
      return "LOGON";
    case Request::logoff:
      return "LOGOFF";
  }
  return "?";
}

cnx::Error Failure::to_error() const {
  return cnx::Error(ErrorKind::server, code, message);
}

bool Reply::has_more() const {
  const bool* more = metadata.get_if<bool>("has_more");
  return more != nullptr && *more;
}

Exchange::Exchange(Version version, const Options& options)
    : dialect_(version),
      features_(features(version)),
      database_(options.database),
      reply_bytes_max_(options.reply_bytes_max),
      dechunker_(options.message_bytes_max) {}

// A message is written in up to three pieces, so that large parameters are not copied into a
// scratch buffer first.
void Exchange::queue(Request request, cnx::BytesView head, cnx::BytesView body,
                     cnx::BytesView tail) {
  ChunkWriter writer(out_);
  writer.write(head);
  writer.write(body);
  writer.write(tail);
  writer.finish();
  if (request != Request::goodbye) requests_.push_back(request);
}

void Exchange::hello(const Options& options) {
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(1, static_cast<uint8_t>(Request::hello));
  pack_hello(packer, options, features_);
  queue(Request::hello, scratch_);
}

void Exchange::logon(const Auth& auth) {
  CNX_CHECK(features_.logon, "LOGON exists from Bolt 5.1 on");
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(1, static_cast<uint8_t>(Request::logon));
  pack_auth(packer, auth);
  queue(Request::logon, scratch_);
}

void Exchange::begin(const TransactionOptions& transaction) {
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(1, static_cast<uint8_t>(Request::begin));
  pack_transaction(packer, transaction, database_, dialect_);
  queue(Request::begin, scratch_);
}

void Exchange::run(std::string_view query, cnx::BytesView packed_parameters) {
  run_message(query, packed_parameters, nullptr);
}

void Exchange::run(std::string_view query, cnx::BytesView packed_parameters,
                   const TransactionOptions& transaction) {
  run_message(query, packed_parameters, &transaction);
}

void Exchange::run_message(std::string_view query, cnx::BytesView packed_parameters,
                           const TransactionOptions* transaction) {
  CNX_CHECK(!packed_parameters.empty(), "parameters are one packed map, A0 for none");
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(3, static_cast<uint8_t>(Request::run));
  packer.string(query);
  cnx::Bytes extra;
  Packer extra_packer(extra);
  if (transaction == nullptr) {
    extra_packer.map_header(0);
  } else {
    pack_transaction(extra_packer, *transaction, database_, dialect_);
  }
  queue(Request::run, scratch_, packed_parameters, extra);
}

void Exchange::stream_message(Request request, int64_t count) {
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(1, static_cast<uint8_t>(request));
  pack_count(packer, count);
  queue(request, scratch_);
}

void Exchange::pull(int64_t count) {
  stream_message(Request::pull, count);
}
void Exchange::discard(int64_t count) {
  stream_message(Request::discard, count);
}

void Exchange::bare_message(Request request) {
  scratch_.clear();
  Packer(scratch_).structure_header(0, static_cast<uint8_t>(request));
  queue(request, scratch_);
}

void Exchange::logoff() {
  bare_message(Request::logoff);
}
void Exchange::commit() {
  bare_message(Request::commit);
}
void Exchange::rollback() {
  bare_message(Request::rollback);
}
void Exchange::reset() {
  bare_message(Request::reset);
}
void Exchange::goodbye() {
  bare_message(Request::goodbye);
}

void Exchange::route(const Map& context, const std::vector<std::string>& bookmarks,
                     std::string_view database) {
  scratch_.clear();
  Packer packer(scratch_);
  packer.structure_header(3, static_cast<uint8_t>(Request::route));
  pack_route(packer, context, bookmarks, database);
  queue(Request::route, scratch_);
}

void Exchange::sent(size_t count) {
  CNX_CHECK(count <= out_.size() - sent_, "no more was sent than was to be sent");
  sent_ += count;
  if (sent_ == out_.size()) {
    out_.clear();
    if (out_.capacity() > kKeepBytes) out_.shrink_to_fit();
    sent_ = 0;
  } else if (sent_ >= kCompactBytes && sent_ >= out_.size() - sent_) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
}

cnx::Status Exchange::receive(cnx::BytesView bytes) {
  while (true) {
    CNX_TRY(bool whole, dechunker_.take(bytes));
    if (!whole) return {};
    CNX_TRY(accept(dechunker_.message()));
  }
}

cnx::Status Exchange::accept(cnx::BytesView message) {
  CNX_TRY(Structure structure, unpack_structure(message, dialect_));
  if (requests_.empty()) return cnx::fail(malformed("a message that answers no request"));
  if (structure.tag == kRecord) return accept_record(std::move(structure), message.size());
  return accept_summary(std::move(structure));
}

cnx::Status Exchange::accept_record(Structure&& message, size_t bytes) {
  const List* record = message.fields.size() == 1 ? message.fields[0].get_if<List>() : nullptr;
  if (record == nullptr) return cnx::fail(malformed("a RECORD without a list"));
  if (requests_.front() != Request::pull || failed_)
    return cnx::fail(malformed("a RECORD that nobody asked for"));
  if (bytes > reply_bytes_max_ - current_bytes_) {
    return cnx::fail(malformed("the records of one reply exceed " +
                               std::to_string(reply_bytes_max_) + " bytes"));
  }
  current_bytes_ += bytes;
  current_.records.push_back(std::move(message.fields[0]).take<List>());
  return {};
}

cnx::Status Exchange::accept_summary(Structure&& message) {
  if (message.tag == kIgnored) {
    if (!message.fields.empty()) return cnx::fail(malformed("an IGNORED with fields"));
    finish(Reply::Outcome::ignored);
    return {};
  }
  if (message.tag != kSuccess && message.tag != kFailure) {
    return cnx::fail(malformed("a message with the unknown tag " + std::to_string(message.tag)));
  }
  const Map* metadata = message.fields.size() == 1 ? message.fields[0].get_if<Map>() : nullptr;
  if (metadata == nullptr) return cnx::fail(malformed("a summary without a map"));
  if (message.tag == kFailure) {
    current_.failure = read_failure(*metadata);
    finish(Reply::Outcome::failure);
    return {};
  }
  // Taking a success here for real would be believing in a COMMIT that never happened.
  if (failed_ && requests_.front() != Request::reset) {
    return cnx::fail(malformed("a SUCCESS after a FAILURE, without RESET"));
  }
  current_.metadata = std::move(message.fields[0]).take<Map>();
  finish(Reply::Outcome::success);
  return {};
}

void Exchange::finish(Reply::Outcome outcome) {
  current_.request = requests_.front();
  current_.outcome = outcome;
  requests_.pop_front();
  if (outcome == Reply::Outcome::failure) failed_ = true;
  if (outcome == Reply::Outcome::success && current_.request == Request::reset) failed_ = false;
  if (outcome == Reply::Outcome::success && current_.request == Request::hello &&
      features_.patch_bolt) {
    const List* granted = current_.metadata.get_if<List>("patch_bolt");
    dialect_.utc = granted != nullptr && *granted == List{Value("utc")};
  }
  replies_.push_back(std::exchange(current_, Reply{}));
  current_bytes_ = 0;
}

std::optional<Reply> Exchange::take_reply() {
  if (replies_.empty()) return std::nullopt;
  Reply reply = std::move(replies_.front());
  replies_.pop_front();
  return reply;
}

}  // namespace bolt
