// The words of the command line, and those of them that hold a secret: other users of the machine see a process's words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnx::command {

class GivenWords {
 public:
  // Copies the words, and overwrites in the process's own those that hold a secret, so that `ps` does not show it from here on.
  GivenWords(int count, char** words);

  const std::vector<std::string>& words() const { return words_; }
  // A message about the words, without the secrets in them.
  std::string without_secrets(std::string message) const;

 private:
  std::vector<std::string> words_;
  std::vector<std::string> secrets_;
};

// Where in the word what is to be hidden begins; npos: it holds no secret. A URL with a password, a word that says
// `password=` or `token=`, not one that names a file. Pure.
size_t secret_begins(std::string_view word);

}  // namespace cnx::command
