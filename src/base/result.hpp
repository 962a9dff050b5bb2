// Result<T>: a value, or the Error that says why there is none. The one way an expected failure travels.
#pragma once

#include <tl/expected.hpp>

#include "base/error.hpp"

namespace cnx {

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return fail(Error(kind, std::move(message)));
}

}  // namespace cnx

// CNX_TRY(expression);              returns the error from this function where the expression failed.
// CNX_TRY(auto value, expression);  the same, else binds its value.
#define CNX_TRY_NAME2(line) cnx_try_result_##line
#define CNX_TRY_NAME(line) CNX_TRY_NAME2(line)
#define CNX_TRY_STATUS(result, expression)                                   \
  do {                                                                       \
    auto&& result = (expression);                                            \
    if (!result) return ::tl::unexpected<::cnx::Error>(std::move(result).error()); \
  } while (false)
#define CNX_TRY_VALUE(result, declaration, expression)                            \
  auto result = (expression);                                                     \
  if (!result) return ::tl::unexpected<::cnx::Error>(std::move(result).error()); \
  declaration = *std::move(result)
#define CNX_TRY_1(expression) CNX_TRY_STATUS(CNX_TRY_NAME(__LINE__), expression)
#define CNX_TRY_2(declaration, expression) \
  CNX_TRY_VALUE(CNX_TRY_NAME(__LINE__), declaration, expression)
#define CNX_TRY_PICK(first, second, chosen, ...) chosen
#define CNX_TRY(...) CNX_TRY_PICK(__VA_ARGS__, CNX_TRY_2, CNX_TRY_1, )(__VA_ARGS__)
