#include "pipeline/copy_progress.hpp"

#include <gtest/gtest.h>

namespace cnx::pipeline {
namespace {

TEST(ProgressText, says_how_much_how_fast_and_how_long_still) {
  EXPECT_EQ(progress_text({.rows = 500'000, .estimate = 2'000'000, .segments = 20, .segments_done = 4, .rows_per_second = 50'000}),
            "[#######-----------------------] 25 %  500,000 of about 2,000,000 rows  50,000 rows/s  30 s left  (4 of 20 segments)");
}

TEST(ProgressText, is_not_full_before_the_last_segment_is_done) {
  const std::string text = progress_text({.rows = 3'000, .estimate = 1'000, .segments = 2, .segments_done = 1, .rows_per_second = 10});
  EXPECT_NE(text.find("99 %"), std::string::npos) << text;
  EXPECT_EQ(text.find("left"), std::string::npos) << "nobody knows: " << text;
}

TEST(ProgressText, guesses_no_end_from_the_first_rows) {
  const std::string text = progress_text({.rows = 3, .estimate = 1'000'000, .segments = 2, .rows_per_second = 1});
  EXPECT_EQ(text.find("left"), std::string::npos) << text;
}

TEST(ProgressText, of_nothing_is_whole) {
  const std::string text = progress_text({});
  EXPECT_NE(text.find("100 %  0 rows"), std::string::npos) << text;
}

}  // namespace
}  // namespace cnx::pipeline
