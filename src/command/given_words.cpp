#include "command/given_words.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cnx::command {
namespace {

constexpr std::string_view kInstead = "(hidden)";
constexpr size_t kNowhere = std::string_view::npos;

// user:password@ behind the scheme. The last @ counts: a password may hold one that should have been encoded.
bool holds_password_in_url(std::string_view word) {
  const size_t scheme = word.find("://");
  if (scheme == kNowhere) return false;
  const size_t at = word.rfind('@');
  const size_t colon = word.find(':', scheme + 3);
  return at != kNowhere && colon != kNowhere && colon < at;
}

// `password=`, `sslpassword = `, `neo4j.bearer_token=`; a file's name is none.
bool says_secret(std::string_view word) {
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string_view name : {"password", "token"}) {
    for (size_t at = small.find(name); at != kNowhere; at = small.find(name, at + 1)) {
      const size_t equals = small.find_first_not_of(' ', at + name.size());
      if (equals == kNowhere || small[equals] != '=') continue;
      if (small.compare(equals + 1, 5, "file:") != 0) return true;
    }
  }
  return false;
}

}  // namespace

size_t secret_begins(std::string_view word) {
  if (!holds_password_in_url(word) && !says_secret(word)) return kNowhere;
  // --neo4j=URL: which flag it is may be seen.
  const size_t equals = word.starts_with("--") ? word.find('=') : kNowhere;
  return equals == kNowhere ? 0 : equals + 1;
}

GivenWords::GivenWords(int count, char** words) {
  for (int i = 0; i < count; ++i) {
    const std::string& word = words_.emplace_back(words[i]);
    const size_t begin = secret_begins(word);
    if (begin == kNowhere) continue;
    secrets_.push_back(word.substr(begin));
    const size_t shown = std::min(word.size() - begin, kInstead.size());
    std::memset(words[i] + begin, 0, word.size() - begin);
    std::memcpy(words[i] + begin, kInstead.data(), shown);
  }
}

std::string GivenWords::without_secrets(std::string message) const {
  for (const std::string& secret : secrets_) {
    for (size_t at = message.find(secret); at != kNowhere; at = message.find(secret, at + kInstead.size())) {
      message.replace(at, secret.size(), kInstead);
    }
  }
  return message;
}

}  // namespace cnx::command
