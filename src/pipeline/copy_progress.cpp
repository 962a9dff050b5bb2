#include "pipeline/copy_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "telemetry/log.hpp"

namespace cnx::pipeline {
namespace {

constexpr Duration kTerminalInterval = std::chrono::milliseconds(250);
constexpr Duration kLogInterval = std::chrono::seconds(10);
constexpr size_t kBarWidth = 30;
constexpr double kShareKnown = 0.01;

std::string with_commas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 7200) return std::to_string(whole / 60) + " min";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

}  // namespace

std::string progress_text(const CopyFigures& figures) {
  const bool done = figures.segments_done == figures.segments;
  // Until the last segment is done the copy is not, whatever the statistics said.
  const uint64_t total = done ? figures.rows : std::max(figures.estimate, figures.rows + 1);
  const double share = total == 0 ? 1.0 : static_cast<double>(figures.rows) / static_cast<double>(total);
  const size_t filled = std::min(static_cast<size_t>(share * kBarWidth), kBarWidth);
  std::string text = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "] ";
  text += std::to_string(static_cast<int>(share * 100)) + " %  " + with_commas(figures.rows);
  text += done ? " rows" : " of about " + with_commas(total) + " rows";
  text += "  " + with_commas(static_cast<uint64_t>(figures.rows_per_second)) + " rows/s";
  // The first rows say nothing of how long the rest takes.
  if (!done && share >= kShareKnown && figures.rows_per_second > 0 && figures.estimate > figures.rows) {
    text += "  " + duration_text(static_cast<double>(figures.estimate - figures.rows) / figures.rows_per_second) + " left";
  }
  return text + "  (" + std::to_string(figures.segments_done) + " of " + std::to_string(figures.segments) + " segments)";
}

void CopyProgress::show(const CopyFigures& figures, TimePoint now) {
  if (now - shown_ < (on_terminal_ ? kTerminalInterval : kLogInterval)) return;
  shown_ = now;
  if (!on_terminal_) {
    telemetry::log_info("copying", "copying: " + progress_text(figures),
                        {{"rows", figures.rows},
                         {"rows_estimate", figures.estimate},
                         {"segments", figures.segments},
                         {"segments_done", figures.segments_done}});
    return;
  }
  std::fprintf(stderr, "\r\033[K%s", progress_text(figures).c_str());
  std::fflush(stderr);
  open_ = true;
}

void CopyProgress::end() {
  if (open_) std::fputc('\n', stderr);
  open_ = false;
}

bool standard_error_is_a_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace cnx::pipeline
