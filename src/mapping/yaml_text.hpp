// How names and remarks stand in a YAML file, so that every reader of YAML reads them back as they
// are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnx::mapping {

// A scalar, for block and flow places alike: bare where YAML cannot misread it, else in double
// quotes. `text` is UTF-8.
std::string yaml_scalar(std::string_view text);

// One word as a scalar; several as [a, b].
std::string yaml_words(const std::vector<std::string>& words);

// What may stand behind `# `: the first line with something in it, without what a reader of YAML
// takes for a line's end or refuses, cut at `width` letters. Empty where nothing is left.
std::string comment_text(std::string_view text, size_t width);

// `text` as lines of comments, each "<indent># …" with a line feed, of at most some 118 letters
// where the words allow it. Nothing of its first line is cut.
std::string comment_lines(std::string_view text, size_t indent);

// How many letters a text has, so that columns can be aligned.
size_t letters(std::string_view text);

}  // namespace cnx::mapping
