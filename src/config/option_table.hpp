// The one place that knows every option: its name, its form, what it sets and what it is for. The reader, the command line,
// docs/configuration.md and the JSON Schema are all made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "config/settings.hpp"

namespace cnx::config {

// The forms of a value. `at` gives the place that it sets; read from default Settings, it gives the default.
struct TextForm {
  std::string& (*at)(Settings&);
  std::string_view name;  // For people: "FILE", "NAME".
  bool path = false;      // A relative one in a configuration file is relative to that file's folder.
};
struct SecretForm {
  GivenSecret& (*at)(Settings&);
  std::string_view name;
};
struct SwitchForm {
  bool& (*at)(Settings&);
};
struct CountForm {
  size_t& (*at)(Settings&);
  size_t min;
  size_t max;
};
struct BytesForm {
  size_t& (*at)(Settings&);
  size_t min;
  size_t max;
};
struct SecondsForm {
  Duration& (*at)(Settings&);
  double min;
  double max;
};
struct ChoiceForm {
  std::string& (*at)(Settings&);
  std::span<const std::string_view> choices;
};
struct AddressForm {
  telemetry::ListenAddress& (*at)(Settings&);
};
using Form = std::variant<TextForm, SecretForm, SwitchForm, CountForm, BytesForm, SecondsForm, ChoiceForm, AddressForm>;

struct Option {
  std::string_view key;   // "apply.batch_rows"; what stands before the dot is its section.
  std::string_view flag;  // "--postgres"; empty: --set key=value alone.
  Form form;
  std::string_view help;  // Sentences, for the page and for editors.
};

struct Section {
  std::string_view name;
  std::string_view help;
};

// In the order of the page.
std::span<const Option> options();
std::span<const Section> sections();
// Null where there is none of that key.
const Option* find_option(std::string_view key);

// "postgres.url" gives "postgres"; "pipeline" gives "".
std::string_view section_of(const Option& option);
std::string_view name_in_section(const Option& option);
// The environment variable that sets it: CONTEXTNEXUS_ and the key in capitals, CONTEXTNEXUS_POSTGRES for postgres.url.
std::string environment_name(const Option& option);

// For people: "a whole number from 1 to 100000". And the default as a file would say it; empty: none.
std::string describe_form(const Form& form);
std::string default_text(const Form& form);

}  // namespace cnx::config
