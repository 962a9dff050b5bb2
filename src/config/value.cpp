#include "config/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "mapping/fault.hpp"

namespace cnx::config {
namespace {

// A certificate chain would be some kilobytes; no password or URL is near it.
constexpr std::streamsize kLongestSecretFile = 64 << 10;
constexpr std::string_view kFilePrefix = "file:";

using Fault = tl::unexpected<ValueFault>;

Fault fault(std::string message, std::string suggestion = {}) {
  return Fault({std::move(message), std::move(suggestion)});
}

Fault not_of_form(const Option& option, std::string suggestion = {}) {
  return fault("`" + std::string(option.key) + "` is " + describe_form(option.form), std::move(suggestion));
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name) {
    bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!fits) return false;
  }
  return true;
}

// `inside` is what stands between the braces.
Read<std::string> variable(std::string_view inside, const Environment& environment) {
  size_t otherwise = inside.find(":-");
  std::string name(inside.substr(0, otherwise));
  if (!is_variable_name(name)) {
    return fault("`${` is not followed by a variable's name", "write ${NAME} or ${NAME:-otherwise}; $${ for the characters");
  }
  std::optional<std::string> value = environment(name);
  if (otherwise != std::string_view::npos && (!value || value->empty())) return std::string(inside.substr(otherwise + 2));
  if (value) return *std::move(value);
  return fault("the variable " + name + " is not set", "set it, or write ${" + name + ":-otherwise}");
}

std::string under(const std::string& folder, std::string_view path) {
  return folder.empty() ? std::string(path) : (std::filesystem::path(folder) / path).string();
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<size_t> byte_count(std::string_view text) {
  constexpr std::array kUnits = {std::pair(std::string_view("KiB"), 10), std::pair(std::string_view("MiB"), 20),
                                 std::pair(std::string_view("GiB"), 30)};
  int shift = 0;
  for (auto [unit, bits] : kUnits) {
    if (!text.ends_with(unit)) continue;
    text.remove_suffix(unit.size());
    while (text.ends_with(' ')) text.remove_suffix(1);
    shift = bits;
  }
  std::optional<size_t> value = number<size_t>(text);
  if (!value || *value > (~size_t{0} >> shift)) return std::nullopt;
  return *value << shift;
}

// Reads `text` as one form and sets its place.
struct Setter {
  const Option& option;
  std::string_view text;
  const std::string& folder;
  Settings& settings;

  Read<void> operator()(const TextForm& form) const {
    form.at(settings) = form.path ? under(folder, text) : std::string(text);
    return {};
  }

  Read<void> operator()(const SecretForm& form) const {
    GivenSecret& secret = form.at(settings);
    if (!text.starts_with(kFilePrefix)) {
      secret = {.text = Secret(std::string(text)), .file = {}};
      return {};
    }
    std::string path = under(folder, text.substr(kFilePrefix.size()));
    Result<Secret> read = read_secret_file(path);
    if (!read) return fault(read.error().describe());
    secret = {.text = *std::move(read), .file = std::move(path)};
    return {};
  }

  Read<void> operator()(const SwitchForm& form) const {
    if (text != "true" && text != "false") return not_of_form(option);
    form.at(settings) = text == "true";
    return {};
  }

  Read<void> operator()(const CountForm& form) const {
    std::optional<size_t> value = number<size_t>(text);
    if (!value || *value < form.min || *value > form.max) return not_of_form(option);
    form.at(settings) = *value;
    return {};
  }

  Read<void> operator()(const BytesForm& form) const {
    std::optional<size_t> value = byte_count(text);
    if (!value || *value < form.min || *value > form.max) return not_of_form(option);
    form.at(settings) = *value;
    return {};
  }

  Read<void> operator()(const SecondsForm& form) const {
    std::optional<double> value = number<double>(text);
    if (!value || !std::isfinite(*value) || *value < form.min || *value > form.max) return not_of_form(option);
    form.at(settings) = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*value));
    return {};
  }

  Read<void> operator()(const AddressForm& form) const {
    Result<telemetry::ListenAddress> address = telemetry::parse_listen_address(text);
    if (!address) return not_of_form(option, address.error().advice());
    form.at(settings) = *std::move(address);
    return {};
  }

  Read<void> operator()(const ChoiceForm& form) const {
    for (std::string_view choice : form.choices) {
      if (choice != text) continue;
      form.at(settings) = std::string(text);
      return {};
    }
    return not_of_form(option, mapping::did_you_mean(text, form.choices));
  }
};

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Read<std::string> replace_variables(std::string_view text, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    size_t at = text.find("${");
    if (at == std::string_view::npos) return out + std::string(text);
    if (at > 0 && text[at - 1] == '$') {
      out += text.substr(0, at - 1);
      out += "${";
      text.remove_prefix(at + 2);
      continue;
    }
    size_t end = text.find('}', at);
    if (end == std::string_view::npos) return fault("a `${` is not closed", "write ${NAME}; $${ for the characters");
    out += text.substr(0, at);
    Read<std::string> value = variable(text.substr(at + 2, end - at - 2), environment);
    if (!value) return value;
    out += *value;
    text.remove_prefix(end + 1);
  }
  return out;
}

Read<void> set_option(const Option& option, std::string_view text, const std::string& folder, Settings& settings) {
  if (text.empty()) return fault("`" + std::string(option.key) + "` is empty");
  return std::visit(Setter{option, text, folder, settings}, option.form);
}

Result<Secret> read_secret_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (file) {
    std::string text(static_cast<size_t>(kLongestSecretFile) + 1, '\0');
    file.read(text.data(), kLongestSecretFile + 1);
    if (file.bad()) return fail(Error(ErrorKind::invalid, "the secret's file cannot be read").with("file", path));
    if (file.gcount() > kLongestSecretFile) {
      return fail(Error(ErrorKind::invalid, "the secret's file is longer than 64 KiB").with("file", path));
    }
    text.resize(static_cast<size_t>(file.gcount()));
    line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.pop_back();
  } else {
    return fail(Error(ErrorKind::invalid, "the secret's file cannot be read").with("file", path));
  }
  if (line.empty()) return fail(Error(ErrorKind::invalid, "the secret's file is empty").with("file", path));
  return Secret(std::move(line));
}

}  // namespace cnx::config
