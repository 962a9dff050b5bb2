// One value as text: ${VAR} replaced, file: read, then read as its option's form. Knows no files of configuration.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/option_table.hpp"

namespace cnx::config {

// Gives a variable's value; nullopt where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
// The process's own.
Environment process_environment();

// What is wrong with a value, without a place; never repeats a secret's text.
struct ValueFault {
  std::string message;
  std::string suggestion;
};
template <typename T>
using Read = tl::expected<T, ValueFault>;

// `${NAME}` is the variable's value, `${NAME:-otherwise}` has another where it is not set or empty, `$${` is `${`. Any
// other `$` is itself. What a variable holds is not looked into again.
Read<std::string> replace_variables(std::string_view text, const Environment& environment);

// Sets the option's place in `settings`. `folder`: what a relative path, also that of a `file:`, is relative to; empty: the
// process's own folder. Reads the file of a secret, to say at once that it cannot be read.
Read<void> set_option(const Option& option, std::string_view text, const std::string& folder, Settings& settings);

// The first line of a secret's file, without its end. invalid: cannot be read, is empty, or is longer than 64 KiB.
Result<Secret> read_secret_file(const std::string& path);

}  // namespace cnx::config
