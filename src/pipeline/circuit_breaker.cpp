#include "pipeline/circuit_breaker.hpp"

namespace cnx::pipeline {

bool CircuitBreaker::failed(int64_t letter, const std::string& statement, const std::string& code) {
  ++rows_;
  failures_.push_back({rows_, letter, statement, code});
  while (failures_.front().row + options_.window_rows <= rows_) failures_.pop_front();
  return alike().size() >= failures_enough();
}

std::vector<int64_t> CircuitBreaker::alike() const {
  std::vector<int64_t> letters;
  if (failures_.empty()) return letters;
  for (const Failure& failure : failures_) {
    if (failure.statement == failures_.back().statement && failure.code == failures_.back().code) letters.push_back(failure.letter);
  }
  return letters;
}

}  // namespace cnx::pipeline
