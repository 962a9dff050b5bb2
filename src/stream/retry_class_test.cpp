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
  EXPECT_EQ(of_code("Neo.TransientError.General.DatabaseUnavailable"), RetryClass::later);
  EXPECT_EQ(of_code("Neo.TransientError.Of.ALaterServer"), RetryClass::later);
  EXPECT_EQ(of_code("Neo.TransientError.Transaction.Outdated"), RetryClass::at_once);
}

TEST(RetryClass, a_deadlock_is_never_a_dead_letter_and_too_little_memory_never_tried_as_it_is) {
  EXPECT_EQ(of_code("Neo.TransientError.Transaction.DeadlockDetected"), RetryClass::smaller);
  EXPECT_EQ(of_code("Neo.TransientError.General.OutOfMemoryError"), RetryClass::smaller);
  EXPECT_EQ(of_code("Neo.TransientError.General.MemoryPoolOutOfMemoryError"), RetryClass::in_pieces);
  EXPECT_TRUE(is_retried(RetryClass::smaller));
  for (RetryClass retry : {RetryClass::in_pieces, RetryClass::dead_letter, RetryClass::stop}) {
    EXPECT_FALSE(is_retried(retry)) << to_string(retry);
  }
}

TEST(RetryClass, of_one_code_may_hang_on_what_the_server_says) {
  const char* code = "Neo.DatabaseError.Statement.ExecutionFailed";
  EXPECT_EQ(of_code(code), RetryClass::stop);
  EXPECT_EQ(retry_class(Error(ErrorKind::server, code, "Property value is too large to index, see …").wrap("applying")),
            RetryClass::dead_letter);
}

TEST(RetryClass, stops_at_what_would_fail_again_or_is_unknown) {
  for (const char* code : {"57P04", "42P01", "42501", "42704", "55000", "XX000", "", "99999", "Neo.ClientError.Statement.SyntaxError",
                           "Neo.ClientError.Security.Unauthorized", "Neo.Unheard.Of.This", "Neo.ClientError.Unheard.Of"}) {
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

TEST(Advised, an_error_says_what_to_do_and_an_unknown_one_that_it_is_unknown) {
  EXPECT_NE(advised(Error(ErrorKind::server, "42501", "denied").wrap("reading")).advice().find("init --role"), std::string::npos);
  EXPECT_NE(advised(Error(ErrorKind::server, "Neo.Unheard.Of.This", "?")).advice().find("not known"), std::string::npos);
  EXPECT_EQ(advised(Error(ErrorKind::server, "42501", "denied").advise("its own").wrap("reading")).advice(), "its own");
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
