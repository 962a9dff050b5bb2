// Input: one byte (its low bits choose the version, the high ones how many bytes arrive at once),
// then what a server sends after the log-in was asked for. A conversation pairs each request with
// at most one reply, whatever comes.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "bolt/exchange.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  auto versions = bolt::known_versions();
  bolt::Options options;
  options.message_bytes_max = 4096;
  options.reply_bytes_max = 16384;
  bolt::Exchange exchange(versions[(data[0] & 15) % versions.size()], options);
  constexpr std::byte kNoParameters{0xA0};
  exchange.hello(options);
  exchange.begin({});
  for (int statement = 0; statement < 3; ++statement) {
    exchange.run("RETURN 1", cnx::BytesView(&kNoParameters, 1));
    exchange.pull(-1);
  }
  exchange.commit();
  exchange.reset();
  const size_t requests = exchange.outstanding();

  cnx::BytesView bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  size_t piece = static_cast<size_t>(data[0] >> 4) + 1;
  size_t replies = 0;
  while (!bytes.empty()) {
    cnx::BytesView part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    auto received = exchange.receive(part);
    while (auto reply = exchange.take_reply()) {
      ++replies;
      CNX_CHECK(reply->request == bolt::Request::pull || reply->records.empty(),
                "records answer a PULL");
    }
    CNX_CHECK(replies + exchange.outstanding() == requests, "each request has one reply");
    if (!received) {
      CNX_CHECK(received.error().kind() == cnx::ErrorKind::malformed,
                "what no server says is malformed");
      return 0;
    }
  }
  return 0;
}
