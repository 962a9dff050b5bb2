#include "bolt/handshake.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

constexpr uint32_t kMagic = 0x6060B017;
constexpr uint32_t kManifest = 0x000001FF;
constexpr size_t kAnswerBytes = 4;
// Servers offer four ranges today. A varint of ten bytes is as long as 64 bits need.
constexpr size_t kRangesMax = 64;
constexpr size_t kVarintBytesMax = 10;

struct Range {
  uint8_t minors_below = 0;
  Version highest;

  bool holds(Version version) const {
    return version.major == highest.major && version.minor <= highest.minor &&
           version.minor + minors_below >= highest.minor;
  }
  uint32_t to_wire() const {
    return uint32_t{minors_below} << 16 | uint32_t{highest.minor} << 8 | uint32_t{highest.major};
  }
  static Range from_wire(uint32_t word) {
    return {static_cast<uint8_t>(word >> 16),
            {static_cast<uint8_t>(word), static_cast<uint8_t>(word >> 8)}};
  }
};

// The proposals for servers without manifest, newest first, since the server takes the first that
// fits. They all are older than 6.0.
std::array<Range, 2> plain_proposals(Version newest) {
  constexpr Version kLastWithoutManifest{5, 8};
  Version five = std::min(newest, kLastWithoutManifest);
  if (five.major < 5) return {Range{0, kOldestVersion}, Range{}};
  return {Range{five.minor, five}, Range{0, kOldestVersion}};
}

// Nullopt: not all bytes are there yet. The value saturates: none that matters is that large.
std::optional<uint64_t> read_varint(cnx::ByteReader& reader, bool& too_long) {
  uint64_t value = 0;
  for (size_t i = 0; i < kVarintBytesMax; ++i) {
    auto byte = reader.read<uint8_t>();
    if (!byte) return std::nullopt;
    value |= static_cast<uint64_t>(*byte & 0x7F) << (7 * i);
    if ((*byte & 0x80) == 0) return value;
  }
  too_long = true;
  return std::nullopt;
}

cnx::Error not_bolt(cnx::BytesView answer) {
  if (cnx::as_text(answer) == "HTTP") {
    return cnx::Error(ErrorKind::unsupported, "the other side speaks HTTP, not Bolt")
        .advise("Neo4j's Bolt port is 7687 unless configured otherwise; 7474 is its HTTP port");
  }
  constexpr auto kTlsAlert = std::byte{0x15};
  constexpr auto kTlsMajor = std::byte{0x03};
  if (answer[0] == kTlsAlert && answer[1] == kTlsMajor) {
    return cnx::Error(ErrorKind::unsupported, "the other side speaks TLS only")
        .advise("use the scheme bolt+s or neo4j+s");
  }
  return cnx::Error(ErrorKind::malformed, "the other side did not answer as a Bolt server does");
}

}  // namespace

Handshake::Handshake(Version newest) : newest_(newest) {
  cnx::ByteWriter writer(out_);
  writer.write(kMagic);
  std::array<Range, 2> proposals = plain_proposals(newest);
  // The manifest speaks of 5.7 and later; whoever wants older asks the old way.
  constexpr Version kFirstWithManifest{5, 7};
  bool manifest = newest >= kFirstWithManifest;
  if (manifest) writer.write(kManifest);
  for (const Range& range : proposals) writer.write(range.to_wire());
  writer.write(uint32_t{0});
  if (!manifest) writer.write(uint32_t{0});
}

Result<bool> Handshake::receive(cnx::BytesView& input) {
  while (!input.empty()) {
    in_.push_back(input.front());
    input = input.subspan(1);
    if (in_.size() < kAnswerBytes) continue;
    CNX_TRY(bool done, on_answer());
    if (done) return true;
  }
  return false;
}

Result<bool> Handshake::on_answer() {
  uint32_t word = *cnx::ByteReader(in_).read<uint32_t>();
  if (word == 0) {
    return cnx::fail(cnx::Error(ErrorKind::unsupported,
                                "the server speaks no Bolt version between " +
                                    kOldestVersion.to_string() + " and " + newest_.to_string())
                         .advise("Neo4j 4.4 or later is needed"));
  }
  if (word == kManifest) return on_manifest();
  Version version = Range::from_wire(word).highest;
  if ((word >> 16) != 0) return cnx::fail(not_bolt(in_));
  auto known = known_versions();
  if (std::find(known.begin(), known.end(), version) == known.end() || version > newest_) {
    return cnx::fail(ErrorKind::malformed,
                     "the server chose Bolt " + version.to_string() + ", which was not proposed");
  }
  chosen_ = version;
  return true;
}

Result<bool> Handshake::on_manifest() {
  bool too_long = false;
  cnx::ByteReader reader(in_);
  reader.read<uint32_t>();
  auto count = read_varint(reader, too_long);
  if (too_long || (count && *count > kRangesMax)) {
    return cnx::fail(ErrorKind::malformed, "the server's manifest of versions is out of bounds");
  }
  if (!count) return false;
  std::optional<Version> best;
  for (uint64_t i = 0; i < *count; ++i) {
    auto word = reader.read<uint32_t>();
    if (!word) return false;
    Range range = Range::from_wire(*word);
    for (Version version : known_versions()) {
      if (version <= newest_ && range.holds(version) && (!best || version > *best)) best = version;
    }
  }
  if (!read_varint(reader, too_long)) {
    if (too_long)
      return cnx::fail(ErrorKind::malformed, "the server's manifest of versions is out of bounds");
    return false;
  }
  if (!best) {
    return cnx::fail(cnx::Error(ErrorKind::unsupported,
                                "the server offers no Bolt version that this client speaks")
                         .advise("Neo4j 4.4 or later is needed"));
  }
  chosen_ = *best;
  cnx::ByteWriter writer(out_);
  writer.write(Range{0, chosen_}.to_wire());
  writer.write(uint8_t{0});
  return true;
}

}  // namespace bolt
