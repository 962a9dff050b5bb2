#include "config/load.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "mapping/yaml_reader.hpp"

namespace cnx::config {
namespace {

using mapping::Fault;
using mapping::Fields;
using mapping::YamlReader;

// A configuration has some dozens of lines.
constexpr size_t kLongestFile = 1 << 20;

// A value on its way to its option, and where it was given.
struct Given {
  std::string text;
  std::string where;  // The file, the variable or the flag.
  int line = 0;
  int column = 0;
  bool in_file = false;
};
using GivenValues = std::map<std::string_view, Given>;

std::vector<std::string_view> words_of(std::string_view section) {
  std::vector<std::string_view> words;
  for (const Option& option : options()) {
    if (section_of(option) == section) words.push_back(name_in_section(option));
  }
  if (!section.empty()) return words;
  for (const Section& each : sections()) {
    if (!each.name.empty()) words.push_back(each.name);
  }
  return words;
}

std::vector<std::string_view> all_keys() {
  std::vector<std::string_view> keys;
  for (const Option& option : options()) keys.push_back(option.key);
  return keys;
}

class Loader {
 public:
  Loader(const CommandLine& line, const Environment& environment) : line_(line), environment_(environment) {}

  void read_file(std::string_view yaml, const std::string& file) {
    folder_ = std::filesystem::path(file).parent_path().string();
    YamlReader reader(file);
    if (yaml.size() > kLongestFile) {
      faults_.push_back({file, 0, 0, "the file is longer than 1 MiB", ""});
      return;
    }
    try {
      read_yaml(reader, YAML::Load(std::string(yaml)), file);
    } catch (const YAML::Exception& error) {
      reader.fault(error.mark, "not YAML: " + error.msg);
    } catch (const std::exception& error) {
      reader.fault(YAML::Mark::null_mark(), std::string("cannot be read: ") + error.what());
    }
    std::vector<Fault> found = reader.take_faults();
    faults_.insert(faults_.end(), found.begin(), found.end());
  }

  void fault(Fault fault) { faults_.push_back(std::move(fault)); }

  tl::expected<Settings, std::vector<Fault>> finish() {
    read_environment();
    read_flags();
    Settings settings;
    for (const Option& option : options()) {
      auto given = given_.find(option.key);
      if (given != given_.end()) set(option, given->second, settings);
    }
    std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      // Those with a line are the file's: by line among themselves, and before all others.
      if (a.line == 0 || b.line == 0) return a.line > b.line && b.line == 0;
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    if (!faults_.empty()) return tl::unexpected(std::move(faults_));
    settings.log.pipeline = settings.pipeline.name;
    return settings;
  }

 private:
  void read_yaml(YamlReader& reader, const YAML::Node& root, const std::string& file) {
    if (root.IsNull()) return;  // An empty file says nothing.
    auto map = reader.map(root, root.Mark(), "a configuration file");
    if (!map) return;
    bool is_mapping = std::any_of(map->begin(), map->end(), [](const auto& entry) { return entry.key.text == "tables"; });
    if (is_mapping) {
      reader.fault(root.Mark(), "this is a mapping, not a configuration", "give it with --mapping");
      return;
    }
    const std::vector<std::string_view> top = words_of("");
    Fields fields(reader, *std::move(map), "a configuration file", top);
    read_section(fields, "", file);
    for (const Section& section : sections()) {
      const mapping::MapEntry* entry = section.name.empty() ? nullptr : fields.find(section.name);
      if (entry == nullptr || entry->value.IsNull()) continue;
      const std::string what = "`" + std::string(section.name) + "`";
      auto inside = reader.map(entry->value, entry->mark, what);
      if (!inside) continue;
      const std::vector<std::string_view> known = words_of(section.name);
      Fields inner(reader, *std::move(inside), what, known);
      read_section(inner, section.name, file);
    }
  }

  void read_section(Fields& fields, std::string_view section, const std::string& file) {
    for (const Option& option : options()) {
      if (section_of(option) != section) continue;
      auto text = fields.text(name_in_section(option));
      if (!text) continue;
      given_[option.key] = {std::move(text->text), file, text->mark.line + 1, text->mark.column + 1, true};
    }
  }

  void read_environment() {
    for (const Option& option : options()) {
      std::string name = environment_name(option);
      std::optional<std::string> value = environment_(name);
      if (value && !value->empty()) given_[option.key] = {.text = *std::move(value), .where = std::move(name)};
    }
  }

  void read_flags() {
    for (const std::string& set : line_.sets) {
      size_t equals = set.find('=');
      const Option* option = find_option(std::string_view(set).substr(0, equals));
      // What stands behind the sign may be a secret.
      const std::string key = set.substr(0, equals);
      if (equals == std::string::npos) {
        faults_.push_back({"--set", 0, 0, "this is not KEY=VALUE", "write --set apply.batch_rows=500"});
      } else if (option == nullptr) {
        faults_.push_back({"--set", 0, 0, "unknown key `" + key + "`", mapping::did_you_mean(key, all_keys())});
      } else {
        given_[option->key] = {.text = set.substr(equals + 1), .where = "--set " + key};
      }
    }
    for (const GivenFlag& flag : line_.flags) {
      if (const Option* option = find_option(flag.key)) given_[option->key] = {.text = flag.value, .where = flag.where};
    }
  }

  void set(const Option& option, const Given& given, Settings& settings) {
    Read<std::string> text = given.text;
    if (given.in_file) text = replace_variables(given.text, environment_);
    Read<void> done;
    if (text) {
      done = set_option(option, *text, given.in_file ? folder_ : std::string(), settings);
    } else {
      done = tl::unexpected(text.error());
    }
    if (done) return;
    faults_.push_back({given.where, given.line, given.column, done.error().message, done.error().suggestion});
  }

  const CommandLine& line_;
  const Environment& environment_;
  std::string folder_;
  GivenValues given_;
  std::vector<Fault> faults_;
};

}  // namespace

tl::expected<Settings, std::vector<Fault>> load(const CommandLine& line, const Environment& environment) {
  Loader loader(line, environment);
  std::string file = line.file;
  if (file.empty()) file = environment(std::string(kFileVariable)).value_or("");
  const bool named = !file.empty();
  if (!named) file = kDefaultFile;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (stream) text << stream.rdbuf();
  if (stream && text) {
    loader.read_file(text.view(), file);
  } else if (named || std::filesystem::exists(file)) {
    loader.fault({file, 0, 0, "the configuration file cannot be read", ""});
  }
  return loader.finish();
}

tl::expected<Settings, std::vector<Fault>> load_text(std::string_view yaml, const std::string& file,
                                                     const CommandLine& line, const Environment& environment) {
  Loader loader(line, environment);
  loader.read_file(yaml, file);
  return loader.finish();
}

}  // namespace cnx::config
