// One error type for every module: facts about what failed, not a tree of types.
// What is done about it (retry, stop, …) is decided in one place, stream/retry_class; a client only reports.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cnx {

enum class ErrorKind {
  malformed,    // Bytes from outside that break their own format or exceed a limit.
  unavailable,  // The other side cannot be reached, or the connection was lost.
  timeout,      // A deadline passed before the answer came.
  server,       // The other side answered with an error; `code` is what it said.
  invalid,      // What a person wrote (option, mapping, URL) cannot be used as it is.
  unsupported,  // Understood, and not done by this version.
  state,        // The two sides do not fit together (I9): a person must choose a cure.
  internal,     // A library failed in a way that nothing above explains.
};

std::string_view to_string(ErrorKind kind);

// A value type; copies share the cause. Never holds a secret or a row's value in `message` or `context`.
class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  // `code` as the other side gave it: SQLSTATE, "Neo.ClientError.…".
  Error(ErrorKind kind, std::string code, std::string message)
      : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& code() const { return code_; }
  const std::string& message() const { return message_; }
  // A person's next step; empty where none is known.
  const std::string& advice() const { return advice_; }
  const Error* cause() const { return cause_.get(); }
  // The first error of the chain of causes: the one the other side gave. Valid while this error lives.
  const Error& root() const;

  // Adds a fact: which table, position or operation it happened to.
  Error&& with(std::string key, std::string value) &&;
  Error&& advise(std::string advice) &&;
  // A new error that says what *you* were doing; this one becomes its cause, kind and code carry over.
  Error wrap(std::string doing) &&;

  // One line for a person: "doing what: cause (code) [table=…, lsn=…]".
  std::string describe() const;

 private:
  ErrorKind kind_;
  std::string code_;
  std::string message_;
  std::string advice_;
  std::vector<std::pair<std::string, std::string>> context_;
  // Shared and immutable: an Error is copied to both ends of a failed queue.
  std::shared_ptr<const Error> cause_;
};

}  // namespace cnx
