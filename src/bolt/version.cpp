#include "bolt/version.hpp"

#include <array>

namespace bolt {

std::string Version::to_string() const {
  return std::to_string(major) + "." + std::to_string(minor);
}

std::span<const Version> known_versions() {
  static constexpr std::array<Version, 10> kKnown{
      {{4, 4}, {5, 0}, {5, 1}, {5, 2}, {5, 3}, {5, 4}, {5, 6}, {5, 7}, {5, 8}, {6, 0}}};
  return kKnown;
}

Features features(Version version) {
  Features facts;
  facts.patch_bolt = version >= Version{4, 3} && version < Version{5, 0};
  facts.element_ids = version >= Version{5, 0};
  facts.logon = version >= Version{5, 1};
  facts.notification_filter = version >= Version{5, 2};
  facts.bolt_agent = version >= Version{5, 3};
  facts.disabled_classifications = version >= Version{5, 6};
  facts.vectors = version >= Version{6, 0};
  facts.uuids = version >= Version{6, 1};
  return facts;
}

}  // namespace bolt
