// Histories of the family, as commands that RapidCheck draws and shrinks: what each does to the
// tables where they admit it. For tests only.
#pragma once

#include <rapidcheck.h>

#include <array>
#include <ostream>
#include <string>
#include <vector>

#include "mapping/testing/family.hpp"

namespace cnx::mapping::testing {

enum class Verb {
  commit,
  insert_parent,
  insert_child,
  insert_like,
  update_parent,
  update_child,
  update_like,
  move_child,
  move_children,
  move_elder,
  move_like,
  change_parent_key,
  change_child_key,
  swap_parent_keys,
  swap_child_keys,
  remove_parent,
  remove_child,
  remove_like,
  replace_parent,
  replace_child,
  replace_like,
  truncate,
  count_of_verbs,
};

struct Command {
  Verb verb = Verb::commit;
  int a = 0, b = 0, c = 0, value = 0;  // Small, so that the same keys are met again and again.
};

inline void showValue(const Command& command, std::ostream& out) {
  out << static_cast<int>(command.verb) << '(' << command.a << ' ' << command.b << ' ' << command.c
      << ' ' << command.value << ')';
}

inline constexpr int kKeys = 4;

inline std::string parent_key(int n) {
  return std::to_string(n % kKeys);
}
inline std::string child_key(int n) {
  return "c" + std::to_string(n % kKeys);
}
inline std::optional<std::string> parent_or_none(int n) {
  return n == kKeys ? std::nullopt : std::optional(parent_key(n));
}
inline std::optional<std::string> child_or_none(int n) {
  return n == kKeys ? std::nullopt : std::optional(child_key(n));
}
inline std::optional<std::string> note(int n) {
  return n % 5 == 0 ? std::nullopt : std::optional("note " + std::to_string(n));
}
// As jsonb prints them: large objects, small ones, what is no object, and one whose field a node may have already.
inline std::optional<std::string> big(int n) {
  const std::string number = std::to_string(n);
  if (n % 3 == 0) return std::nullopt;
  if (n % 3 == 1) return "{\"" + std::string(n % 2 == 0 ? "a" : "b") + "\": " + number + ", \"size\": \"large\"}";
  return n % 4 == 0 ? number : "{\"" + std::string(n % 4 == 1 ? "note" : "b") + "\": " + number + "}";
}
inline std::optional<std::string> moment(int n) {
  if (n % 3 == 0) return std::nullopt;
  return n % 3 == 1 ? "infinity" : "2024-01-0" + std::to_string(1 + n % 9) + " 00:00:00+00";
}

inline Row parent_row(const std::string& key, int n) {
  return {key, "acme", note(n), moment(n), "1"};
}
inline Row child_row(const Command& command) {
  return {child_key(command.a),      "acme",
          parent_or_none(command.b), child_or_none(command.c),
          note(command.value),       big(command.value)};
}
inline Row like_row(const Command& command) {
  return {parent_key(command.a), child_key(command.b), std::to_string(command.value),
          big(command.value), "1"};
}

inline void swap_keys(Family& family, FamilyTable table, const std::string& a, const std::string& b,
                      const std::string& spare) {
  if (a == b || !family.rows(table).contains({a}) || !family.rows(table).contains({b})) return;
  family.update(table, {a}, {{0, spare}});
  family.update(table, {b}, {{0, a}});
  family.update(table, {spare}, {{0, b}});
}

// As an application makes rows follow where the database does not. All of a relationship's properties are sent.
inline void move_all(Family& family, const std::string& from, const std::string& to) {
  const auto children = family.rows(FamilyTable::children);
  for (const auto& [key, row] : children) {
    if (row[Family::kParent] != from) continue;
    family.update(FamilyTable::children, key, {{Family::kParent, to}, {Family::kChildBig, row[Family::kChildBig]}});
  }
  const auto likes = family.rows(FamilyTable::likes);
  for (const auto& [key, row] : likes) {
    if (row[Family::kLiker] != from) continue;
    family.update(FamilyTable::likes, key, {{Family::kLiker, to}, {Family::kLikeBig, row[Family::kLikeBig]}});
  }
}

// The row, and those that hung on it, are deleted and inserted again by the same transaction.
inline void replace(Family& family, FamilyTable table, const std::vector<std::string>& key,
                    int value) {
  auto found = family.rows(table).find(key);
  if (found == family.rows(table).end()) return;
  Row row = found->second;
  const auto children = family.rows(FamilyTable::children);
  const auto likes = family.rows(FamilyTable::likes);
  family.remove(table, key);
  if (table == FamilyTable::parents) {
    row[Family::kParentNote] = note(value);
    row[Family::kParentVersion] = "1";
  }
  family.insert(table, row);
  if (value % 2 == 0) return;
  for (const auto& [child, old] : children) family.insert(FamilyTable::children, old);
  for (const auto& [like, old] : likes) family.insert(FamilyTable::likes, old);
}

// What does not fit the tables as they are does nothing.
inline void run(Family& family, const Command& command) {
  using enum FamilyTable;
  const std::string parent = parent_key(command.a);
  const std::string child = child_key(command.a);
  switch (command.verb) {
    case Verb::insert_parent:
      family.insert(parents, parent_row(parent, command.value));
      break;
    case Verb::insert_child:
      family.insert(children, child_row(command));
      break;
    case Verb::insert_like:
      family.insert(likes, like_row(command));
      break;
    case Verb::update_parent:
      family.update(
          parents, {parent},
          {{Family::kParentNote, note(command.value)}, {Family::kSeen, moment(command.value)}});
      break;
    case Verb::update_child:
      family.update(children, {child}, {{Family::kChildNote, note(command.value)}});
      if (command.b == 0)
        family.update(children, {child}, {{Family::kChildBig, big(command.value)}});
      break;
    case Verb::update_like:
      family.update(likes, {parent, child_key(command.b)},
                    {{Family::kWeight, std::to_string(command.value)}});
      if (command.c == 0)
        family.update(likes, {parent, child_key(command.b)},
                      {{Family::kLikeBig, big(command.value)}});
      break;
    case Verb::move_child:
      // A relationship's property that is not sent could not follow a row to another parent.
      family.update(
          children, {child},
          {{Family::kParent, parent_or_none(command.b)}, {Family::kChildBig, big(command.value)}});
      break;
    case Verb::move_children:
      move_all(family, parent, parent_key(command.b));
      break;
    case Verb::move_elder:
      family.update(children, {child}, {{Family::kElder, child_or_none(command.b)}});
      break;
    case Verb::move_like:
      family.update(likes, {parent, child_key(command.b)},
                    {{Family::kLiker, parent_key(command.c)},
                     {Family::kLiked, child_key(command.value)},
                     {Family::kLikeBig, big(command.value)}});
      break;
    case Verb::change_parent_key:
      family.update(parents, {parent}, {{0, parent_key(command.b)}});
      break;
    case Verb::change_child_key:
      family.update(children, {child}, {{0, child_key(command.b)}});
      break;
    case Verb::swap_parent_keys:
      swap_keys(family, parents, parent, parent_key(command.b), "99");
      break;
    case Verb::swap_child_keys:
      swap_keys(family, children, child, child_key(command.b), "spare");
      break;
    case Verb::remove_parent:
      family.remove(parents, {parent});
      break;
    case Verb::remove_child:
      family.remove(children, {child});
      break;
    case Verb::remove_like:
      family.remove(likes, {parent, child_key(command.b)});
      break;
    case Verb::replace_parent:
      replace(family, parents, {parent}, command.value);
      break;
    case Verb::replace_child:
      replace(family, children, {child}, command.value);
      break;
    case Verb::replace_like:
      replace(family, likes, {parent, child_key(command.b)}, command.value);
      break;
    case Verb::truncate:
      family.truncate(kFamilyTables[static_cast<size_t>(command.b) % 3]);
      break;
    case Verb::commit:
    case Verb::count_of_verbs:
      break;
  }
}

inline rc::Gen<Command> any_command() {
  using rc::gen::inRange;
  auto verb = rc::gen::map(inRange(0, 2 * static_cast<int>(Verb::count_of_verbs)), [](int n) {
    const int count = static_cast<int>(Verb::count_of_verbs);
    if (n < count) return static_cast<Verb>(n);
    // The other half: what fills the tables, and what ends transactions.
    constexpr std::array kOften = {
        Verb::commit,      Verb::insert_parent,     Verb::insert_child,
        Verb::insert_like, Verb::change_parent_key, Verb::change_child_key,
        Verb::remove_child, Verb::move_children};
    return kOften[static_cast<size_t>(n - count) % kOften.size()];
  });
  return rc::gen::build<Command>(rc::gen::set(&Command::verb, verb),
                                 rc::gen::set(&Command::a, inRange(0, kKeys)),
                                 rc::gen::set(&Command::b, inRange(0, kKeys + 1)),
                                 rc::gen::set(&Command::c, inRange(0, kKeys + 1)),
                                 rc::gen::set(&Command::value, inRange(0, 30)));
}

}  // namespace cnx::mapping::testing
