// Collects what the parts of the preflight find, each under its side. One thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pipeline/check.hpp"

namespace cnx::pipeline {

class Findings {
 public:
  // What follows belongs to this side.
  void side(std::string name) { side_ = std::move(name); }
  const std::string& side() const { return side_; }

  void ok(std::string what, std::string figure) {
    add(Grade::ok, std::nullopt, std::move(what), std::move(figure), {});
  }
  void warning(FindingKind kind, std::string what, std::string figure, std::string cure) {
    add(Grade::warning, kind, std::move(what), std::move(figure), std::move(cure));
  }
  void fault(FindingKind kind, std::string what, std::string figure, std::string cure) {
    add(Grade::fault, kind, std::move(what), std::move(figure), std::move(cure));
  }
  // An error with its own advice; `cure` where it has none.
  void fault(FindingKind kind, std::string what, const Error& error, std::string cure);

  // How many so far are no ok: to say once that all of a kind is well.
  size_t troubles() const { return troubles_; }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void add(Grade grade, std::optional<FindingKind> kind, std::string what, std::string figure, std::string cure) {
    if (grade != Grade::ok) ++troubles_;
    findings_.push_back({grade, kind, side_, std::move(what), std::move(figure), std::move(cure)});
  }

  std::string side_;
  size_t troubles_ = 0;
  std::vector<Finding> findings_;
};

// The innermost advice of an error, or the nearest to it; empty where there is none.
std::string advice_of(const Error& error);

// "16 MB", "1.5 GB".
std::string bytes_text(double bytes);
// "40 minutes", "3 hours", "2 days".
std::string time_text(double seconds);

}  // namespace cnx::pipeline
