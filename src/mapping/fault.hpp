// What is wrong with a mapping file, for the person who wrote it: where, what, and what was
// probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnx::mapping {

struct Fault {
  std::string file;
  int line = 0;    // From 1; 0 where the fault is not at one place.
  int column = 0;  // From 1.
  std::string message;
  std::string
      suggestion;  // A sentence's end, "did you mean `node`?"; empty where nothing is known.
};

// One line a fault, in the order given: "file:line:column: message (suggestion)".
std::string format(std::span<const Fault> faults);

// Of `known`, the word that `word` is most likely a misspelling of: at most a third of its letters
// differ, a swap of two neighbours counting as one. Empty where none is that near. The view is one
// of `known`'s.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// The `suggestion` for a word that is none of `known`; empty where none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace cnx::mapping
