// Notices that most rows fail the same way: then it is no row that is at fault, and the line stops rather than make dead letters of
// all of them. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace cnx::pipeline {

struct CircuitBreakerOptions {
  // Of so many rows, the newest,
  size_t window_rows = 100;
  // more than this share failed the same way: by the same code, at the same statement.
  size_t same_percent_max = 50;
};

// One thread.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(CircuitBreakerOptions options) : options_(options) {}

  // Rows that were applied.
  void applied(uint64_t rows) { rows_ += rows; }
  // A row that became this letter. Says whether that is one too many.
  bool failed(int64_t letter, const std::string& statement, const std::string& code);
  // The letters of the window that failed as the newest one did.
  std::vector<int64_t> alike() const;
  // So many failures of one kind are one too many, whatever came before.
  size_t failures_enough() const { return options_.window_rows * options_.same_percent_max / 100 + 1; }

 private:
  struct Failure {
    uint64_t row = 0;
    int64_t letter = 0;
    std::string statement;
    std::string code;
  };

  CircuitBreakerOptions options_;
  uint64_t rows_ = 0;
  std::deque<Failure> failures_;
};

}  // namespace cnx::pipeline
