#include "bolt/url.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "bolt/utf8.hpp"

namespace bolt {
namespace {

using cnx::ErrorKind;
using cnx::Result;

cnx::Error invalid(std::string what) {
  return cnx::Error(ErrorKind::invalid, "Neo4j URL: " + std::move(what));
}

struct Scheme {
  std::string_view name;
  bool routing;
  Encryption encryption;
};
constexpr std::array<Scheme, 6> kSchemes{{{"bolt", false, Encryption::none},
                                          {"bolt+s", false, Encryption::verified},
                                          {"bolt+ssc", false, Encryption::trusting},
                                          {"neo4j", true, Encryption::none},
                                          {"neo4j+s", true, Encryption::verified},
                                          {"neo4j+ssc", true, Encryption::trusting}}};

// The part of `rest` in front of `separator`, which is cut off together with it; nullopt where
// there is none.
std::optional<std::string_view> cut(std::string_view& rest, std::string_view separator) {
  size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view front = rest.substr(0, at);
  rest.remove_prefix(at + separator.size());
  return front;
}

// `part` names it in the error, which does not repeat the text: it may be a password.
Result<std::string> decode(std::string_view text, std::string_view part) {
  std::string decoded;
  while (!text.empty()) {
    if (text[0] != '%') {
      decoded += text[0];
      text.remove_prefix(1);
      continue;
    }
    unsigned char byte = 0;
    auto [end, error] = text.size() < 3
                            ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                            : std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
    if (error != std::errc{} || end != text.data() + 3) {
      return cnx::fail(invalid("a % in the " + std::string(part) +
                               " is not followed by two hexadecimal digits"));
    }
    decoded += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  if (!is_utf8(decoded)) return cnx::fail(invalid("the " + std::string(part) + " is not UTF-8"));
  return decoded;
}

cnx::Status read_user(std::string_view user_and_password, Options& options) {
  std::string_view password = user_and_password;
  std::optional<std::string_view> user = cut(password, ":");
  CNX_TRY(options.auth.user, decode(user.value_or(password), "user"));
  if (options.auth.user.empty()) return cnx::fail(invalid("the user is empty"));
  if (user) {
    CNX_TRY(std::string decoded, decode(password, "password"));
    options.auth.password = cnx::Secret(std::move(decoded));
  }
  options.auth.scheme = Auth::Scheme::basic;
  return {};
}

cnx::Status read_port(std::string_view text, Options& options) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.port);
  if (error != std::errc{} || end != text.data() + text.size() || options.port == 0) {
    return cnx::fail(invalid("the port is not a number between 1 and 65535"));
  }
  return {};
}

cnx::Status read_host(std::string_view text, Options& options) {
  std::string_view host;
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    std::optional<std::string_view> inside = cut(text, "]");
    if (!inside) return cnx::fail(invalid("the bracket of the IPv6 address is not closed"));
    host = *inside;
    if (!text.empty() && !text.starts_with(':'))
      return cnx::fail(invalid("something stands between the address and the port"));
  } else {
    size_t colon = text.find(':');
    host = text.substr(0, colon);
    text.remove_prefix(host.size());
    if (text.find(':', 1) != std::string_view::npos) {
      return cnx::fail(invalid("the host has several colons; an IPv6 address stands in brackets"));
    }
  }
  if (host.empty()) return cnx::fail(invalid("the host is missing"));
  CNX_TRY(options.host, decode(host, "host"));
  for (char c : options.host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '\x7F') {
      return cnx::fail(invalid("the host holds a character that no host has"));
    }
  }
  if (!text.empty()) CNX_TRY(read_port(text.substr(1), options));
  return {};
}

cnx::Status read_routing_context(std::string_view query, Options& options) {
  while (!query.empty()) {
    std::string_view pair;
    if (auto front = cut(query, "&")) {
      pair = *front;
    } else {
      pair = std::exchange(query, {});
    }
    std::string_view value = pair;
    std::optional<std::string_view> key = cut(value, "=");
    if (!key || key->empty() || value.empty())
      return cnx::fail(invalid("the query is not key=value pairs"));
    CNX_TRY(std::string decoded_key, decode(*key, "query"));
    CNX_TRY(std::string decoded_value, decode(value, "query"));
    // The client sets this key itself, and the server would take the URL's.
    if (decoded_key == "address")
      return cnx::fail(invalid("the key `address` of the query is reserved"));
    if (options.routing_context.find(decoded_key) != nullptr)
      return cnx::fail(invalid("a key of the query stands twice"));
    options.routing_context.add(std::move(decoded_key), std::move(decoded_value));
  }
  return {};
}

}  // namespace

Result<Options> parse_url(std::string_view url) {
  Options options;
  std::optional<std::string_view> scheme = cut(url, "://");
  const Scheme* known = nullptr;
  for (const Scheme& candidate : kSchemes) {
    if (scheme && *scheme == candidate.name) known = &candidate;
  }
  if (known == nullptr) {
    return cnx::fail(
        invalid("the scheme must be bolt, bolt+s, bolt+ssc, neo4j, neo4j+s or neo4j+ssc"));
  }
  options.routing = known->routing;
  options.encryption = known->encryption;

  if (url.find('#') != std::string_view::npos)
    return cnx::fail(invalid("a fragment (#) has no meaning; write %23"));
  std::string_view query = url;
  if (auto front = cut(query, "?")) {
    url = *front;
    if (!options.routing)
      return cnx::fail(invalid("a query (?) belongs to the neo4j schemes alone"));
    CNX_TRY(read_routing_context(query, options));
  }
  size_t at = url.rfind('@');
  if (at != std::string_view::npos) {
    CNX_TRY(read_user(url.substr(0, at), options));
    url.remove_prefix(at + 1);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find('/') != std::string_view::npos) {
    return cnx::fail(cnx::Error(invalid("a path has no meaning"))
                         .advise("the database has an option of its own"));
  }
  CNX_TRY(read_host(url, options));
  return options;
}

}  // namespace bolt
