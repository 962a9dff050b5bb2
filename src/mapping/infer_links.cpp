#include "mapping/infer_links.hpp"

#include <algorithm>

#include "mapping/infer_names.hpp"
#include "mapping/key_form.hpp"

namespace cnx::mapping {
namespace {

using postgres::Table;
using Words = std::vector<std::string>;

std::string list(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::set<std::string> set_of(const Words& words) {
  return {words.begin(), words.end()};
}

// Whether the engine finds the other's key by this column: an integer by an integer, any other by
// its text.
bool same_kind(const Table& table, const std::string& column, const Table& other,
               const std::string& key) {
  const postgres::TableColumn* mine = table.column(column);
  const postgres::TableColumn* theirs = other.column(key);
  return mine != nullptr && theirs != nullptr &&
         may_lead_to(key_form(*mine), key_form(*theirs));
}

// Where `part` stands in `words` at `from` or behind it; npos where it does not.
constexpr size_t kNowhere = static_cast<size_t>(-1);
size_t place_of(const Words& words, const Words& part, size_t from) {
  auto at = std::search(words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())),
                        words.end(), part.begin(), part.end());
  return at == words.end() ? kNowhere : static_cast<size_t>(at - words.begin());
}

struct Mention {
  size_t place = kNowhere;
  size_t length = 0;
  size_t end() const { return place + length; }
};

// How the name of a join table speaks of one of its ends: by the other table's name, or by what the
// column is called (dept_emp, by dept_no).
Mention mention_of(const Words& name, const Link& link, size_t from) {
  const Words table = normal_words(link.other.name);
  if (size_t at = place_of(name, table, from); at != kNowhere) return {at, table.size()};
  if (link.columns.size() != 1) return {};
  const std::string base = base_of_column(link.columns.front(), {});
  if (base.empty()) return {};
  const Words column = normal_words(base);
  const size_t at = place_of(name, column, from);
  return at == kNowhere ? Mention{} : Mention{at, column.size()};
}

std::string text_of(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word;
  return text;
}

std::string singular_type(const std::string& table) {
  Words words = words_of(table);
  words.back() = normal_words(table).back();
  return lawful(upper_snake(words));
}

// The direction and type of a join table by its name.
JoinTable named(const Table& table, Link first, Link second) {
  const Words name = normal_words(table.name.name);
  Mention a = mention_of(name, first, 0), b = mention_of(name, second, 0);
  if (first.other == second.other && a.place != kNowhere) {
    b = mention_of(name, second, a.end());
  } else if (b.place < a.place) {
    std::swap(first, second);
    std::swap(a, b);
  }
  JoinTable join{std::move(first), std::move(second), type_of_table(table.name.name)};
  if (a.place == kNowhere) return join;
  const std::string has_end = "HAS_" + singular_type(join.end.other.name);
  if (b.place == kNowhere) {
    // customer_customer_demo, of customer_demographics: what is left begins the other's name.
    const Words rest(name.begin() + static_cast<std::ptrdiff_t>(a.end()), name.end());
    constexpr size_t kShortest = 3;
    const std::string short_name = text_of(rest),
                      whole = text_of(normal_words(join.end.other.name));
    if (short_name.size() >= kShortest && whole.starts_with(short_name))
      join.type = lawful(has_end);
  } else if (b.place == a.end() && b.end() == name.size()) {
    join.type = lawful(has_end);
  } else if (b.place > a.end() && b.end() == name.size()) {
    // person_likes_post.
    const Words words = words_of(table.name.name);
    join.type = lawful(upper_snake(Words(words.begin() + static_cast<std::ptrdiff_t>(a.end()),
                                         words.begin() + static_cast<std::ptrdiff_t>(b.place))));
  }
  return join;
}

int16_t first_column(const Table& table, const Link& link) {
  int16_t first = INT16_MAX;
  for (const std::string& column : link.columns) {
    if (const auto* found = table.column(column)) first = std::min(first, found->number);
  }
  return first;
}

// Of a key of several columns: the one that is this relationship's own, as customer_id is beside a
// tenant_id that all foreign keys share. Empty where no one is.
std::string distinguishing_column(const Link& link, const std::vector<Link>& all) {
  Words own;
  for (size_t i = 0; i < link.columns.size(); ++i) {
    const std::string& column = link.columns[i];
    const bool shared = std::any_of(all.begin(), all.end(), [&](const Link& each) {
      return each.columns != link.columns && contains(each.columns, column);
    });
    if (!shared && column != link.referenced[i]) own.push_back(column);
  }
  return own.size() == 1 ? own.front() : std::string();
}

// emp, of employee.
bool shortens(const std::string& base, const std::string& table) {
  constexpr size_t kShortest = 3;
  const Words words = normal_words(base);
  return words.size() == 1 && base.size() >= kShortest &&
         text_of(normal_words(table)).starts_with(words.front());
}

std::string prefix_of(const Table& table) {
  Words columns;
  for (const postgres::TableColumn& column : table.columns) columns.push_back(column.name);
  return shared_prefix(columns);
}

}  // namespace

std::variant<Link, std::string> link_of(const Table& table, const postgres::ForeignKey& key,
                                        const Keys& keys, const Catalog& catalog) {
  const std::string other = postgres::to_string(key.referenced_table);
  auto wanted = keys.find(key.referenced_table);
  auto found = catalog.find(key.referenced_table);
  if (wanted == keys.end() || found == catalog.end()) return other + " has no node";
  if (set_of(key.referenced_columns) != set_of(wanted->second)) {
    return "it refers to " + other + " (" + list(key.referenced_columns) +
           "), and a node is found by its key (" + list(wanted->second) + ")";
  }
  Link link;
  link.other = key.referenced_table;
  link.referenced = wanted->second;
  for (const std::string& part : wanted->second) {
    auto at = std::find(key.referenced_columns.begin(), key.referenced_columns.end(), part);
    const std::string& column =
        key.columns[static_cast<size_t>(at - key.referenced_columns.begin())];
    const postgres::TableColumn* mine = table.column(column);
    if (mine == nullptr || !is_sayable(column)) return "its column cannot be named in this file";
    if (mine->generated)
      return "its column " + column + " is generated, and the log does not carry it";
    if (contains(link.columns, column)) return "it uses the column " + column + " twice";
    if (!same_kind(table, column, *found->second, part)) {
      return "its column " + column + " is of another kind than the key of " + other;
    }
    link.columns.push_back(column);
  }
  return link;
}

std::optional<JoinTable> join_of(const Table& table, const std::vector<std::string>& key,
                                 const std::vector<Link>& links) {
  const std::set<std::string> whole = set_of(key);
  for (size_t i = 0; i < links.size(); ++i) {
    for (size_t j = i + 1; j < links.size(); ++j) {
      std::set<std::string> both = set_of(links[i].columns);
      const std::set<std::string> second = set_of(links[j].columns);
      const bool either_is_all = both == whole || second == whole;
      both.insert(second.begin(), second.end());
      if (either_is_all || both != whole) continue;
      if (links[i].other == table.name || links[j].other == table.name) continue;
      const bool turned = first_column(table, links[j]) < first_column(table, links[i]);
      return named(table, links[turned ? j : i], links[turned ? i : j]);
    }
  }
  return std::nullopt;
}

std::string TakenTypes::take(const TableName& start, const TableName& end,
                             const std::vector<std::string>& wanted) {
  // A name of several long columns; Neo4j and a reader want less.
  constexpr size_t kLongest = 250;
  for (const std::string& type : wanted) {
    if (type.size() <= kLongest && taken_.emplace(start, type, end).second) return type;
  }
  for (int number = 2;; ++number) {
    std::string type = wanted.front() + "_" + std::to_string(number);
    if (taken_.emplace(start, type, end).second) return type;
  }
}

std::vector<std::string> types_of(const Table& table, const Link& link,
                                  const std::vector<Link>& all) {
  const std::string other = singular_type(link.other.name);
  const std::string prefix = prefix_of(table);
  const std::string column =
      link.columns.size() == 1 ? link.columns.front() : distinguishing_column(link, all);
  std::string base = column.empty() ? std::string() : base_of_column(column, prefix);
  std::vector<std::string> types;
  types.push_back(base.empty() || shortens(base, link.other.name) ? lawful("HAS_" + other)
                                                                  : type_of_base(base));
  if (!column.empty()) types.push_back(type_of_base(column));
  types.push_back(types.front() + "_" + other);
  std::string columns;
  for (const std::string& each : link.columns) columns += (columns.empty() ? "" : "_") + each;
  types.push_back(type_of_base(columns));
  for (std::string& type : types) type = lawful(std::move(type));
  return types;
}

}  // namespace cnx::mapping
