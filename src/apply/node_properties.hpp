// The properties of a node of ours, as they were read: one that is absent is as strange as one of another type.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "apply/position.hpp"
#include "bolt/value.hpp"

namespace cnx::apply {

// `map` must outlive it. ErrorKind::state for a value of another type.
class NodeProperties {
 public:
  explicit NodeProperties(const bolt::Map& map) : map_(map) {}
  bool has(std::string_view name) const { return map_.find(name) != nullptr; }
  Result<std::string> text(std::string_view name) const { return text_of(value(name)); }
  Result<uint64_t> number(std::string_view name) const {
    CNX_TRY(int64_t number, integer_of(value(name)));
    return static_cast<uint64_t>(std::max<int64_t>(number, 0));
  }
  bool flag(std::string_view name) const {
    const auto* flag = value(name).get_if<bool>();
    return flag != nullptr && *flag;
  }
  Result<std::vector<std::string>> texts(std::string_view name) const {
    std::vector<std::string> texts;
    const auto* list = value(name).get_if<bolt::List>();
    if (list == nullptr) return fail(text_of(bolt::Value()).error());
    for (const bolt::Value& item : *list) {
      CNX_TRY(std::string text, text_of(item));
      texts.push_back(std::move(text));
    }
    return texts;
  }

 private:
  const bolt::Value& value(std::string_view name) const {
    static const bolt::Value kNone;
    const bolt::Value* found = map_.find(name);
    return found == nullptr ? kNone : *found;
  }
  const bolt::Map& map_;
};

inline bolt::List list_of(const std::vector<std::string>& texts) {
  bolt::List list;
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

}  // namespace cnx::apply
