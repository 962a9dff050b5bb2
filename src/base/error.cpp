#include "base/error.hpp"

namespace cnx {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::malformed: return "malformed";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::server: return "server";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::state: return "state";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

const Error& Error::root() const {
  const Error* error = this;
  while (error->cause_) error = error->cause_.get();
  return *error;
}

Error&& Error::with(std::string key, std::string value) && {
  context_.emplace_back(std::move(key), std::move(value));
  return std::move(*this);
}

Error&& Error::advise(std::string advice) && {
  advice_ = std::move(advice);
  return std::move(*this);
}

Error Error::wrap(std::string doing) && {
  Error outer(kind_, code_, std::move(doing));
  outer.advice_ = advice_;
  outer.cause_ = std::make_shared<const Error>(std::move(*this));
  return outer;
}

std::string Error::describe() const {
  std::string text = message_;
  if (cause_) {
    text += ": " + cause_->describe();
  } else if (!code_.empty()) {
    text += " (" + code_ + ")";
  }
  if (!context_.empty()) {
    text += " [";
    for (size_t i = 0; i < context_.size(); ++i) {
      if (i > 0) text += ", ";
      text += context_[i].first + "=" + context_[i].second;
    }
    text += "]";
  }
  return text;
}

}  // namespace cnx
