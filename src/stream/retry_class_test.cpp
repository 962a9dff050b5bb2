#include "stream/retry_class.hpp"

#include <gtest/gtest.h>

namespace cnx::stream {
namespace {

RetryClass of_code(const char* code) {
  return retry_class(Error(ErrorKind::server, code, "refused"));
}

TEST(RetryClass, follows_a_lost_connection_with_a_new_one) {
  EXPECT_EQ(retry_class(Error(ErrorKind::unavailable, "lost")), RetryClass::reconnect);
  EXPECT_EQ(retry_class(Error(ErrorKind::timeout, "late")), RetryClass::reconnect);
  for (const char* code :
       {"57P01", "57P02", "57P03", "08006", "55006", "53300", "40001",
        "Neo.ClientError.Cluster.NotALeader", "Neo.ClientError.Transaction.Terminated",
        "Neo.TransientError.Transaction.Terminated"}) {
    EXPECT_EQ(of_code(code), RetryClass::reconnect) << code;
  }
}

TEST(RetryClass, tries_what_is_transient_later) {
  EXPECT_EQ(of_code("Neo.TransientError.Transaction.DeadlockDetected"), RetryClass::later);
  EXPECT_EQ(of_code("Neo.TransientError.General.DatabaseUnavailable"), RetryClass::later);
}

TEST(RetryClass, stops_at_what_would_fail_again_or_is_unknown) {
  for (const char* code :
       {"57P04", "42P01", "42501", "42704", "55000", "XX000", "",
        "Neo.ClientError.Statement.SyntaxError", "Neo.ClientError.Security.Unauthorized",
        "Neo.ClientError.Schema.ConstraintValidationFailed",
        "Neo.TransientError.General.MemoryPoolOutOfMemoryError", "Neo.Unheard.Of.This"}) {
    EXPECT_EQ(of_code(code), RetryClass::stop) << code;
  }
  for (ErrorKind kind : {ErrorKind::malformed, ErrorKind::invalid, ErrorKind::unsupported,
                         ErrorKind::state, ErrorKind::internal}) {
    EXPECT_EQ(retry_class(Error(kind, "no")), RetryClass::stop);
  }
}

TEST(RetryClass, a_refused_login_is_told_apart) {
  EXPECT_TRUE(is_login_refused(Error(ErrorKind::server, "28P01", "no").wrap("connecting")));
  EXPECT_TRUE(is_login_refused(Error(ErrorKind::server, "Neo.ClientError.Security.Unauthorized", "no")));
  EXPECT_FALSE(is_login_refused(Error(ErrorKind::server, "28000", "not by this role")));
  EXPECT_FALSE(is_login_refused(Error(ErrorKind::unavailable, "lost")));
}

TEST(RetryClass, is_that_of_the_cause) {
  EXPECT_EQ(retry_class(Error(ErrorKind::server, "57P03", "starting").wrap("connecting")),
            RetryClass::reconnect);
}

TEST(Backoff, doubles_up_to_its_longest_with_a_fifth_of_jitter) {
  using std::chrono::milliseconds;
  Backoff backoff(7, milliseconds(50), milliseconds(400));
  for (int wanted : {50, 100, 200, 400, 400, 400}) {
    Duration wait = backoff.next();
    EXPECT_GE(wait, milliseconds(wanted));
    EXPECT_LE(wait, milliseconds(wanted) * 6 / 5);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(60));
}

}  // namespace
}  // namespace cnx::stream
