// Input: one byte, then the server's side of a handshake (even) or a URL (odd).
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "bolt/handshake.hpp"
#include "bolt/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  cnx::BytesView bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  if (data[0] % 2 == 1) {
    auto options = bolt::parse_url(cnx::as_text(bytes));
    CNX_CHECK(options ? !options->host.empty() && options->port != 0
                      : options.error().kind() == cnx::ErrorKind::invalid,
              "a URL names a server or is invalid");
    return 0;
  }
  bolt::Handshake handshake(bolt::kNewestVersion);
  auto done = handshake.receive(bytes);
  if (!done || !*done) return 0;
  auto known = bolt::known_versions();
  CNX_CHECK(std::find(known.begin(), known.end(), handshake.chosen()) != known.end(),
            "a known version is chosen");
  return 0;
}
