// YAML nodes read as the mapping language wants them: every deviation becomes a fault with its
// place, and reading goes on. Does not know what the words mean. One thread; a node may throw
// YAML::Exception, which load() catches.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/fault.hpp"

namespace cnx::mapping {

// A scalar and where it stands.
struct Scalar {
  std::string text;
  YAML::Mark mark;
};

struct MapEntry {
  Scalar key;
  YAML::Node value;
  YAML::Mark mark;  // Of the value, or of the key where the value is empty.
};

class YamlReader {
 public:
  explicit YamlReader(std::string_view file) : file_(file) {}

  void fault(const YAML::Mark& mark, std::string message, std::string suggestion = {});
  // All so far, by line and column. Leaves none.
  std::vector<Fault> take_faults();
  size_t fault_count() const { return faults_.size(); }

  // The entries of a map in order; other than scalar keys and keys that come twice are faults.
  // `what` names the node for the message: "a table". None where it is no map.
  std::optional<std::vector<MapEntry>> map(const YAML::Node& node, const YAML::Mark& mark,
                                           const std::string& what);
  // A scalar that is not empty, of at most 1,024 bytes, without control characters.
  std::optional<Scalar> text(const YAML::Node& node, const YAML::Mark& mark,
                             const std::string& what);
  // One scalar, or a list of them without repetition and not empty.
  std::optional<std::vector<Scalar>> texts(const YAML::Node& node, const YAML::Mark& mark,
                                           const std::string& what);

 private:
  std::string file_;
  std::vector<Fault> faults_;
};

// A map whose keys are known words.
class Fields {
 public:
  // Unknown keys are faults here; `elsewhere` are words that have a meaning in a map of another
  // kind, and `kind` names this one: "a node".
  Fields(YamlReader& reader, std::vector<MapEntry> entries, std::string kind,
         std::span<const std::string_view> known, std::span<const std::string_view> elsewhere = {});

  // Null where the file does not say it. Valid while this lives.
  const MapEntry* find(std::string_view key) const;
  std::optional<Scalar> text(std::string_view key);
  std::optional<std::vector<Scalar>> texts(std::string_view key);

 private:
  YamlReader& reader_;
  std::vector<MapEntry> entries_;
};

}  // namespace cnx::mapping
