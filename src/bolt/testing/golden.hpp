// The captured conversations of tests/data/bolt/golden.txt, for tests only.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "bolt/chunk.hpp"
#include "bolt/version.hpp"

namespace bolt::testing {

inline cnx::Bytes from_hex(std::string_view text) {
  cnx::Bytes bytes;
  int high = -1;
  for (char c : text) {
    if (c == ' ') continue;
    int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

inline std::string to_hex(cnx::BytesView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::byte byte : bytes) {
    text += kDigits[static_cast<size_t>(byte) >> 4];
    text += kDigits[static_cast<size_t>(byte) & 15];
  }
  return text;
}

struct Golden {
  Dialect dialect;
  std::string name;     // "6.0 param:date S RECORD", for messages of a test.
  std::string message;  // "RECORD", "HANDSHAKE".
  bool from_client = false;
  cnx::Bytes bytes;  // As on the wire.
};

inline std::vector<Golden> read_golden() {
  std::ifstream file(CNX_TEST_DATA "/bolt/golden.txt");
  std::vector<Golden> all;
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string version, test_case, direction, message, hex;
    words >> version >> test_case >> direction >> message >> hex;
    Version number{static_cast<uint8_t>(version[0] - '0'), static_cast<uint8_t>(version[2] - '0')};
    Dialect dialect = version.ends_with("utc") ? Dialect(number, true) : Dialect(number);
    all.push_back({dialect, version + " " + test_case + " " + direction + " " + message, message,
                   direction == "C", from_hex(hex)});
  }
  EXPECT_GT(all.size(), 400u);
  return all;
}

// The one message that chunked bytes hold.
inline cnx::Bytes dechunk(cnx::BytesView wire) {
  Dechunker dechunker(size_t{64} << 20);
  auto whole = dechunker.take(wire);
  EXPECT_TRUE(whole && *whole && wire.empty());
  return cnx::Bytes(dechunker.message().begin(), dechunker.message().end());
}

inline cnx::Bytes chunk(cnx::BytesView message) {
  cnx::Bytes wire;
  ChunkWriter writer(wire);
  writer.write(message);
  writer.finish();
  return wire;
}

}  // namespace bolt::testing
