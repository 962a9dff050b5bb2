#include "stream/acknowledgement.hpp"

#include <gtest/gtest.h>

namespace cnx::stream {
namespace {

using change::Lsn;

TEST(Acknowledgement, may_be_confirmed_once_a_transaction_is_whole) {
  Acknowledgement acknowledgement;
  acknowledgement.advance({Lsn(1048), 0});
  EXPECT_EQ(acknowledgement.confirmable(Lsn(500)), Lsn(1048));
}

TEST(Acknowledgement, inside_a_transaction_confirms_what_came_before_it) {
  Acknowledgement acknowledgement;
  acknowledgement.advance({Lsn(1048), 0});
  acknowledgement.advance({Lsn(2000), 3});
  EXPECT_EQ(acknowledgement.confirmable(Lsn(1048)), Lsn(1048));
  EXPECT_EQ(acknowledgement.confirmable(Lsn(500)), Lsn(1048))
      << "it was whole, though nobody looked while it was the last";
}

TEST(Acknowledgement, confirms_nothing_where_it_starts_inside_a_transaction) {
  Acknowledgement acknowledgement;
  acknowledgement.advance({Lsn(2000), 3});
  EXPECT_EQ(acknowledgement.confirmable(Lsn(0)), Lsn(0));
}

TEST(Acknowledgement, never_confirms_less_than_before) {
  Acknowledgement acknowledgement;
  acknowledgement.advance({Lsn(1048), 0});
  EXPECT_EQ(acknowledgement.confirmable(Lsn(3000)), Lsn(3000));
}

TEST(Acknowledgement, confirms_no_further_than_what_is_recorded) {
  std::atomic<uint64_t> recorded{1000};
  Acknowledgement acknowledgement;
  acknowledgement.confirm_up_to(recorded);
  acknowledgement.advance({Lsn(1048), 0});
  EXPECT_EQ(acknowledgement.confirmable(Lsn(900)), Lsn(1000));
  EXPECT_EQ(acknowledgement.position().lsn, Lsn(1048)) << "the graph has it all the same";
  recorded = 3000;
  EXPECT_EQ(acknowledgement.confirmable(Lsn(900)), Lsn(1048));
}

TEST(Acknowledgement, wakes_whoever_confirms) {
  Acknowledgement acknowledgement;
  int woken = 0;
  acknowledgement.on_advance([&] { ++woken; });
  acknowledgement.advance({Lsn(1048), 0});
  EXPECT_EQ(woken, 1);
}

TEST(AcknowledgementDeathTest, going_back_ends_the_process) {
  Acknowledgement acknowledgement;
  acknowledgement.advance({Lsn(2000), 3});
  EXPECT_DEATH(acknowledgement.advance({Lsn(2000), 2}), "never goes back");
}

}  // namespace
}  // namespace cnx::stream
