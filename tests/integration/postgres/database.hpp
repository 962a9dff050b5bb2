// A database of the test program's own on a real PostgreSQL, gone when the program ends.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "postgres/session.hpp"

namespace cnx::postgres {

inline TimePoint soon() {
  return Clock::now() + std::chrono::seconds(30);
}

// The server's URL with another database in it; empty where no server was named.
inline std::string url_of(const std::string& database) {
  const char* url = std::getenv("CNX_TEST_POSTGRES");
  if (url == nullptr) url = std::getenv("CNX_POSTGRES_URL");
  if (url == nullptr) return "";
  std::string text(url);
  size_t path = text.find('/', text.find("://") + 3);
  size_t query = text.find('?');
  std::string rest = query == std::string::npos ? "" : text.substr(query);
  return text.substr(0, std::min(path, query)) + "/" + database + rest;
}

inline ConnectionOptions options_for(const std::string& database, const std::string& more = "") {
  ConnectionOptions options;
  std::string url = url_of(database);
  if (!more.empty()) url += (url.find('?') == std::string::npos ? "?" : "&") + more;
  options.conninfo = Secret(url);
  options.search_path_empty = false;  // The tests write the names of their tables plainly.
  return options;
}

template <typename T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().describe();
    std::abort();
  }
  return *std::move(result);
}
inline void must(Status status) {
  if (!status) {
    ADD_FAILURE() << status.error().describe();
    std::abort();
  }
}

class DatabaseTest : public ::testing::Test {
 protected:
  static std::string database() { return "cnx_test_" + std::to_string(::getpid()); }

  static void SetUpTestSuite() {
    if (url_of("postgres").empty()) return;
    Session admin = must(Session::open(options_for("postgres"), soon()));
    must(admin.execute("DROP DATABASE IF EXISTS " + database(), soon()));
    must(admin.execute("CREATE DATABASE " + database() + " TEMPLATE template0 ENCODING 'UTF8'",
                       soon()));
  }
  static void TearDownTestSuite() {
    if (url_of("postgres").empty()) return;
    Session admin = must(Session::open(options_for("postgres"), soon()));
    // A slot of a test that failed would keep the database.
    must(
        admin.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                      " WHERE database = '" +
                          database() + "' AND active",
                      soon()));
    for (int tries = 0; tries < 50; ++tries) {
      auto dropped = admin.execute(
          "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
          " WHERE database = '" +
              database() + "'",
          soon());
      if (dropped) break;
      must(admin.execute("SELECT pg_sleep(0.1)", soon()));
    }
    must(admin.execute("DROP DATABASE " + database() + " WITH (FORCE)", soon()));
  }
  void SetUp() override {
    if (url_of("postgres").empty()) GTEST_SKIP() << "CNX_TEST_POSTGRES names no server";
    session_.emplace(must(Session::open(options_for(database()), soon())));
  }

  Session& session() { return *session_; }
  void run(const std::string& sql) { must(session_->execute(sql, soon())); }
  Rows rows(const std::string& sql) { return must(session_->query(sql, soon())); }

 private:
  std::optional<Session> session_;
};

}  // namespace cnx::postgres
