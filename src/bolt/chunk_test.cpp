#include "bolt/chunk.hpp"

#include <gtest/gtest.h>

#include "bolt/testing/golden.hpp"
#include "bolt/testing/random_bytes.hpp"

namespace bolt {
namespace {

using testing::chunk;
using testing::from_hex;

constexpr size_t kLimit = size_t{64} << 20;

cnx::Bytes pattern(size_t size) {
  cnx::Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

// All messages that `wire` holds when it comes in pieces of `piece` bytes.
std::vector<cnx::Bytes> messages_of(const cnx::Bytes& wire, size_t piece) {
  Dechunker dechunker(kLimit);
  std::vector<cnx::Bytes> messages;
  for (size_t at = 0; at < wire.size(); at += piece) {
    cnx::BytesView input = cnx::BytesView(wire).subspan(at, std::min(piece, wire.size() - at));
    while (true) {
      auto whole = dechunker.take(input);
      EXPECT_TRUE(whole);
      if (!whole || !*whole) break;
      messages.emplace_back(dechunker.message().begin(), dechunker.message().end());
    }
    EXPECT_TRUE(input.empty());
  }
  return messages;
}

TEST(Chunk, messages_of_every_size_come_back_whole) {
  for (size_t size : {size_t{1}, size_t{32767}, size_t{32768}, size_t{65534}, size_t{65535},
                      size_t{65536}, size_t{131070}, size_t{131071}, size_t{20} << 20}) {
    SCOPED_TRACE(size);
    cnx::Bytes message = pattern(size);
    cnx::Bytes wire = chunk(message);
    size_t chunks = (size + kChunkBytesMax - 1) / kChunkBytesMax;
    EXPECT_EQ(wire.size(), size + 2 * chunks + 2);
    for (size_t piece : {wire.size(), size_t{65536}, size_t{4093}}) {
      auto messages = messages_of(wire, piece);
      ASSERT_EQ(messages.size(), 1u);
      EXPECT_TRUE(messages[0] == message);
    }
    if (size < 200000) {
      EXPECT_TRUE(messages_of(wire, 1) == std::vector<cnx::Bytes>{message});
    }
  }
}

TEST(Chunk, a_message_written_in_pieces_is_chunked_as_if_written_at_once) {
  cnx::Bytes message = pattern(200000);
  for (size_t piece : {size_t{1}, size_t{1000}, size_t{65534}, size_t{65535}, size_t{65536}}) {
    cnx::Bytes wire;
    ChunkWriter writer(wire);
    for (size_t at = 0; at < message.size(); at += piece) {
      writer.write(cnx::BytesView(message).subspan(at, std::min(piece, message.size() - at)));
    }
    writer.finish();
    EXPECT_TRUE(wire == chunk(message)) << piece;
  }
}

TEST(Chunk, boundaries_and_noops_carry_no_meaning) {
  cnx::Bytes wire = from_hex("0000 0000 0001b1 000170 0001a0 0000 0000 0002b07e 0000 0000");
  for (size_t piece : {size_t{1}, size_t{2}, size_t{3}, wire.size()}) {
    auto messages = messages_of(wire, piece);
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(testing::to_hex(messages[0]), "b170a0");
    EXPECT_EQ(testing::to_hex(messages[1]), "b07e");
  }
}

TEST(Chunk, a_message_longer_than_the_limit_is_malformed) {
  for (size_t size : {size_t{999}, size_t{1000}, size_t{1001}, size_t{100000}}) {
    Dechunker dechunker(1000);
    cnx::Bytes wire = chunk(pattern(size));
    cnx::BytesView input(wire);
    auto whole = dechunker.take(input);
    EXPECT_EQ(whole.has_value(), size <= 1000) << size;
    if (!whole) {
      EXPECT_EQ(whole.error().kind(), cnx::ErrorKind::malformed);
    }
  }
}

TEST(Chunk, random_bytes_never_exceed_the_limit) {
  testing::RandomBytes random;
  for (int round = 0; round < 200; ++round) {
    Dechunker dechunker(5000);
    cnx::Bytes wire = random.bytes(2000);
    cnx::BytesView input(wire);
    while (true) {
      auto whole = dechunker.take(input);
      EXPECT_LE(dechunker.message().size(), 5000u);
      if (!whole || !*whole) break;
    }
  }
}

}  // namespace
}  // namespace bolt
