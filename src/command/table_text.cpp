#include "command/table_text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace cnx::command {
namespace {

constexpr size_t kNarrowest = 40;
constexpr size_t kUsual = 100;
constexpr size_t kGrade = 9;  // "warning" and two spaces.
constexpr size_t kLongestWhat = 34;

std::vector<std::string> wrapped(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find_first_of(" \n", at), text.size());
    std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (!line.empty() && length_of(line) + 1 + length_of(word) > width)
      lines.push_back(std::exchange(line, {}));
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::string padded(std::string text, size_t width) {
  size_t has = length_of(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

void add_finding(std::string& out, const pipeline::Finding& finding, size_t what_width,
                 size_t width) {
  const size_t indent = kGrade + what_width + 2;
  std::string head = padded(std::string(to_string(finding.grade)), kGrade) +
                     padded(finding.what, what_width) + "  ";
  // A name that is too long for its column has a line of its own.
  if (length_of(finding.what) > what_width) {
    while (head.back() == ' ') head.pop_back();
    head += "\n" + std::string(indent, ' ');
  }
  std::vector<std::string> figures = wrapped(finding.figure, width - indent);
  if (figures.empty()) figures.emplace_back();
  for (size_t i = 0; i < figures.size(); ++i) {
    out += (i == 0 ? head : std::string(indent, ' ')) + figures[i];
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  }
}

void add_cure(std::string& out, const std::string& cure, size_t width) {
  const std::string arrow = std::string(kGrade, ' ') + "→ ";
  std::vector<std::string> lines = wrapped(cure, width - kGrade - 2);
  for (size_t i = 0; i < lines.size(); ++i) {
    out += (i == 0 ? arrow : std::string(kGrade + 2, ' ')) + lines[i] + "\n";
  }
}

}  // namespace

std::string table_text(const pipeline::CheckReport& report, size_t width) {
  width = std::max(width, kNarrowest);
  // Long names are the exception: they would push every figure to the right.
  const size_t longest = std::min(kLongestWhat, width / 3);
  size_t what_width = 0;
  for (const pipeline::Finding& finding : report.findings) {
    if (length_of(finding.what) <= longest) what_width = std::max(what_width, length_of(finding.what));
  }
  std::string out;
  for (size_t i = 0; i < report.findings.size(); ++i) {
    const pipeline::Finding& finding = report.findings[i];
    const pipeline::Finding* next =
        i + 1 < report.findings.size() ? &report.findings[i + 1] : nullptr;
    if (i == 0 || finding.side != report.findings[i - 1].side) {
      out += (out.empty() ? "" : "\n") + finding.side + "\n";
    }
    add_finding(out, finding, what_width, width);
    // A cure of several findings in a row stands once, beneath the last.
    bool shared = next != nullptr && next->side == finding.side && next->cure == finding.cure;
    if (!shared) add_cure(out, finding.cure, width);
  }
  return out;
}

// Every byte of UTF-8 but the continuations begins a character.
size_t length_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
      size.ws_col == 0)
    return kUsual;
  return size.ws_col;
}

}  // namespace cnx::command
