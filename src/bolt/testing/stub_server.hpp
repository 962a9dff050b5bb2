// A server of Bolt that plays a script, without I/O: a transport of a test, or a thread with a
// socket, moves its bytes. It behaves as Neo4j does where that is the protocol's: after a FAILURE
// it ignores everything until RESET. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "bolt/chunk.hpp"
#include "bolt/exchange.hpp"
#include "bolt/packstream.hpp"
#include "bolt/testing/golden.hpp"
#include "bolt/version.hpp"

namespace bolt::testing {

// The server's messages, packed.
inline constexpr size_t kGreetingBytes = 20;
inline constexpr uint8_t kSuccess = 0x70;
inline constexpr uint8_t kRecord = 0x71;
inline constexpr uint8_t kIgnored = 0x7E;
inline constexpr uint8_t kFailure = 0x7F;

inline cnx::Bytes message(uint8_t tag, const std::vector<Value>& fields) {
  cnx::Bytes bytes;
  Packer packer(bytes);
  packer.structure_header(fields.size(), tag);
  for (const Value& field : fields) packer.value(field);
  return bytes;
}

inline cnx::Bytes success(const Map& metadata = {}) {
  return message(kSuccess, {Value(metadata)});
}
inline cnx::Bytes record(const List& values) {
  return message(kRecord, {Value(values)});
}
inline cnx::Bytes ignored() {
  return message(kIgnored, {});
}
inline cnx::Bytes failure(const std::string& code, const std::string& text = "as the script says") {
  return message(kFailure,
                 {Value(Map{{"neo4j_code", code}, {"message", text}, {"gql_status", "50N42"}})});
}

// One thread.
class StubServer {
 public:
  explicit StubServer(Version version = {5, 8}) : version_(version) {}

  // The next request must be `expected` and is answered with these messages. HELLO, LOGON, RESET
  // and GOODBYE need no turn (a turn for one of them wins); what stands behind a FAILURE is IGNORED
  // without one.
  StubServer& on(Request expected, std::vector<cnx::Bytes> answers);
  // Closes after the answers of the last turn.
  StubServer& then_close();
  // Metadata of the answer to HELLO, besides `server` and `connection_id`.
  StubServer& hints(Map hints);
  // Sends NOOPs between all messages.
  StubServer& with_noops();

  void receive(cnx::BytesView bytes);
  // What the client has not read yet; the front is cut off by whoever moves it.
  cnx::Bytes& output() { return output_; }
  bool closed() const { return closed_; }
  // All requests so far, with their fields.
  const std::vector<Structure>& requests() const { return requests_; }
  bool script_played() const { return turns_.empty(); }

 private:
  struct Turn {
    Request expected;
    std::vector<cnx::Bytes> answers;
    bool close = false;
  };
  void shake_hands();
  void handle(Structure request);
  void send(cnx::BytesView message);
  std::vector<cnx::Bytes> unscripted(Request request) const;

  Version version_;
  std::deque<Turn> turns_;
  Map hints_{{"connection.recv_timeout_seconds", 120}};
  bool noops_ = false;
  cnx::Bytes hello_;  // The bytes of the client's handshake.
  bool greeted_ = false;
  bool awaits_choice_ = false;
  Dechunker dechunker_{size_t{256} << 20};
  cnx::Bytes output_;
  bool failed_ = false;
  bool closed_ = false;
  std::vector<Structure> requests_;
};

inline StubServer& StubServer::on(Request expected, std::vector<cnx::Bytes> answers) {
  turns_.push_back({expected, std::move(answers)});
  return *this;
}
inline StubServer& StubServer::then_close() {
  turns_.back().close = true;
  return *this;
}
inline StubServer& StubServer::hints(Map hints) {
  hints_ = std::move(hints);
  return *this;
}
inline StubServer& StubServer::with_noops() {
  noops_ = true;
  return *this;
}

inline void StubServer::receive(cnx::BytesView bytes) {
  while (!closed_ && !bytes.empty() && (!greeted_ || awaits_choice_)) {
    hello_.push_back(bytes.front());
    bytes = bytes.subspan(1);
    shake_hands();
  }
  while (!closed_) {
    auto whole = dechunker_.take(bytes);
    ASSERT_TRUE(whole) << whole.error().describe();
    if (!*whole) return;
    auto request = unpack_structure(dechunker_.message(), Dialect(version_, true));
    ASSERT_TRUE(request) << request.error().describe();
    handle(*std::move(request));
  }
}

inline void StubServer::shake_hands() {
  constexpr size_t kChoiceBytes = 5;
  if (awaits_choice_) {
    if (hello_.size() < kGreetingBytes + kChoiceBytes) return;
    EXPECT_EQ(static_cast<uint8_t>(hello_[kGreetingBytes + 3]), version_.major);
    EXPECT_EQ(static_cast<uint8_t>(hello_[kGreetingBytes + 2]), version_.minor);
    awaits_choice_ = false;
    return;
  }
  if (hello_.size() < kGreetingBytes) return;
  greeted_ = true;
  // Neo4j closes without a word.
  closed_ = *cnx::ByteReader(hello_).read<uint32_t>() != 0x6060B017;
  if (closed_) return;
  cnx::ByteWriter writer(output_);
  uint32_t word = uint32_t{version_.minor} << 8 | version_.major;
  awaits_choice_ = version_ >= Version{5, 7};
  if (awaits_choice_) {
    writer.write(uint32_t{0x1FF});
    writer.write(uint8_t{1});
  }
  writer.write(word);
  if (awaits_choice_) writer.write(uint8_t{0});
}

inline void StubServer::handle(Structure request) {
  auto kind = static_cast<Request>(request.tag);
  requests_.push_back(std::move(request));
  std::vector<cnx::Bytes> answers;
  bool close = kind == Request::goodbye;
  if (failed_ && kind != Request::reset && !close) {
    answers = {ignored()};
  } else if (!turns_.empty() && turns_.front().expected == kind) {
    answers = std::move(turns_.front().answers);
    close = close || turns_.front().close;
    turns_.pop_front();
  } else {
    answers = unscripted(kind);
    if (answers.empty() && !close) {
      ADD_FAILURE() << "the script does not expect " << to_string(kind);
      close = true;
    }
  }
  if (kind == Request::reset) failed_ = false;
  for (const cnx::Bytes& answer : answers) {
    send(answer);
    if (answer.size() > 1 && answer[1] == std::byte{kFailure}) failed_ = true;
  }
  closed_ = close;
}

inline void StubServer::send(cnx::BytesView message) {
  constexpr size_t kNoopBytes = 2;
  if (noops_) output_.resize(output_.size() + kNoopBytes);
  cnx::Bytes wire = chunk(message);
  output_.insert(output_.end(), wire.begin(), wire.end());
}

inline std::vector<cnx::Bytes> StubServer::unscripted(Request request) const {
  switch (request) {
    case Request::hello: {
      Map metadata{{"server", "Neo4j/5.26.28"}, {"connection_id", "bolt-1"}, {"hints", hints_}};
      if (features(version_).patch_bolt) metadata.add("patch_bolt", List{Value("utc")});
      return {success(metadata)};
    }
    case Request::logon:
    case Request::reset:
      return {success()};
    default:
      return {};
  }
}

}  // namespace bolt::testing
