// What may be shown of a server's message: it quotes the values that it speaks of, and a row's values stay out of logs and errors.
#pragma once

#include <string>
#include <string_view>

namespace cnx::apply {

// Without what stands in quotes, braces or brackets, without numbers, and without all that follows where the server says what it
// met. Names between backticks stay. Pure.
std::string without_values(std::string_view message);

}  // namespace cnx::apply
