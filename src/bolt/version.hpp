// Protocol versions as data: what differs between Bolt 4.4 and 6.0 is a handful of yes-or-no facts,
// looked up here, so that there is one encoder and one decoder for all of them.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>

namespace bolt {

struct Version {
  uint8_t major = 0;
  uint8_t minor = 0;
  friend constexpr auto operator<=>(const Version&, const Version&) = default;
  // "5.8".
  std::string to_string() const;
};

// Versions this client speaks, ascending. 5.5 was never released; 6.1 and later are never chosen.
std::span<const Version> known_versions();
constexpr Version kOldestVersion{4, 4};
constexpr Version kNewestVersion{6, 0};

// The facts. Each names the version it came with (or left with).
struct Features {
  bool patch_bolt = false;                // 4.3 … 4.4: UTC date-times must be asked for.
  bool element_ids = false;               // 5.0
  bool logon = false;                     // 5.1: the authentication moved from HELLO to LOGON.
  bool notification_filter = false;       // 5.2
  bool bolt_agent = false;                // 5.3: HELLO must name the product.
  bool disabled_classifications = false;  // 5.6: "categories" are called "classifications".
  bool vectors = false;                   // 6.0: Vector and UnsupportedType.
  bool uuids = false;                     // 6.1
};
Features features(Version version);

// How values look on one connection: the version, and whether DateTime travels as UTC.
struct Dialect {
  Version version = kNewestVersion;
  bool utc = true;
  constexpr Dialect() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a version alone says it all from 5.0 on.
  constexpr Dialect(Version which) : version(which), utc(which >= Version{5, 0}) {}
  constexpr Dialect(Version which, bool utc_granted) : version(which), utc(utc_granted) {}
};

}  // namespace bolt
