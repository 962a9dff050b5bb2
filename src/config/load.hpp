// Flags over environment over file over defaults: what a person said in any of them, as settings. All faults at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "config/value.hpp"
#include "mapping/fault.hpp"

namespace cnx::config {

// The name of the file that is read where it is there and none is named.
inline constexpr std::string_view kDefaultFile = "contextnexus.yaml";
inline constexpr std::string_view kFileVariable = "CONTEXTNEXUS_CONFIG";

// What one flag said.
struct GivenFlag {
  std::string key;    // Of an option.
  std::string value;
  std::string where;  // For messages: "--postgres".
};

struct CommandLine {
  std::string file;  // --config; empty: not given.
  std::vector<GivenFlag> flags;
  std::vector<std::string> sets;  // --set, each "key=value".
};

// Reads the file, the variables and the flags. Faults in the order file, environment, flags; what is overridden is not
// looked into.
tl::expected<Settings, std::vector<mapping::Fault>> load(const CommandLine& line, const Environment& environment);

// The same from a file's text; `file` names it, and its folder is where relative paths begin. For tests.
tl::expected<Settings, std::vector<mapping::Fault>> load_text(std::string_view yaml, const std::string& file,
                                                              const CommandLine& line, const Environment& environment);

}  // namespace cnx::config
