#include "postgres/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdint>

namespace cnx::postgres {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

std::string percent_encoded(std::string_view text, bool upper, bool keep_unreserved) {
  std::string out;
  for (char c : text) {
    bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool unreserved = c == '-' || c == '.' || c == '_' || c == '~';
    if (alphanumeric || (keep_unreserved && unreserved)) {
      out += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out += '%';
    for (unsigned digit : {static_cast<unsigned>(byte >> 4), static_cast<unsigned>(byte & 15)}) {
      char shown = kHex[digit];
      out += upper || shown < 'A' ? shown : static_cast<char>(shown - 'A' + 'a');
    }
  }
  return out;
}

std::string base64(std::string_view text) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < text.size(); i += 3) {
    uint32_t group = 0;
    size_t bytes = std::min<size_t>(3, text.size() - i);
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < bytes ? static_cast<unsigned char>(text[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += j <= bytes ? kDigits[(group >> (18 - 6 * j)) & 63] : '=';
    }
  }
  return out;
}

bool is_url(std::string_view text) {
  return text.starts_with("postgres://") || text.starts_with("postgresql://");
}

// libpq takes the text up to the first '@' as user and password, unless a '/' comes before it. A
// password with either of them unescaped therefore ends up in the host's place, and so in messages
// and in the DNS.
bool password_leaks_into_host(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  size_t end = rest.find_first_of("@/");
  if (end == std::string_view::npos) return false;
  std::string_view after = rest.substr(end + 1);
  return after.substr(0, after.find('?')).find('@') != std::string_view::npos;
}

tl::unexpected<Error> unreadable() {
  return fail(
      Error(ErrorKind::invalid, "the PostgreSQL connection string cannot be read")
          .advise("Write postgres://user:password@host:port/database with special characters "
                  "percent-encoded ('@' is %40, '/' is %2F), or key=value words with values "
                  "that contain spaces in single quotes."));
}

struct ParsedOptions {
  char* message = nullptr;  // Before `options`, whose making sets it.
  PQconninfoOption* options = nullptr;
  explicit ParsedOptions(const std::string& text)
      : options(PQconninfoParse(text.c_str(), &message)) {}
  ParsedOptions(const ParsedOptions&) = delete;
  ParsedOptions& operator=(const ParsedOptions&) = delete;
  ~ParsedOptions() {
    PQconninfoFree(options);
    PQfreemem(
        message);  // Never shown: it quotes what it could not read, which may be the password.
  }
};

}  // namespace

std::vector<Secret> secret_forms(std::string_view password) {
  std::vector<Secret> forms;
  if (password.empty()) return forms;
  std::vector<std::string> texts{std::string(password),
                                 percent_encoded(password, true, true),
                                 percent_encoded(password, false, true),
                                 percent_encoded(password, true, false),
                                 percent_encoded(password, false, false),
                                 base64(password)};
  for (std::string& text : texts) {
    bool known = std::any_of(forms.begin(), forms.end(),
                             [&](const Secret& form) { return form.reveal() == text; });
    if (!known) forms.emplace_back(std::move(text));
  }
  return forms;
}

std::string scrub(std::string text, const std::vector<Secret>& secrets) {
  constexpr std::string_view kHidden = "***";
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = 0; (at = text.find(secret.reveal(), at)) != std::string::npos;) {
      text.replace(at, secret.reveal().size(), kHidden);
      at += kHidden.size();
    }
  }
  return text;
}

Result<ConnectionParameters> parse_conninfo(const ConnectionOptions& options, bool replication) {
  const std::string& text = options.conninfo.reveal();
  if (text.find('\0') != std::string::npos) return unreadable();
  if (is_url(text) && password_leaks_into_host(text)) return unreadable();
  ParsedOptions parsed(text);
  if (parsed.options == nullptr) return unreadable();

  ConnectionParameters parameters;
  auto set = [&](std::string keyword, std::string value) {
    parameters.keywords.push_back(std::move(keyword));
    parameters.values.push_back(std::move(value));
  };
  for (const PQconninfoOption* option = parsed.options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    std::string_view keyword = option->keyword;
    if (keyword == "replication" || keyword == "client_encoding") continue;
    if (keyword == "application_name" && !options.application_name.empty()) continue;
    if (keyword == "password" && !options.password.empty()) continue;
    if (keyword == "password" || keyword == "sslpassword") {
      auto forms = secret_forms(option->val);
      parameters.secrets.insert(parameters.secrets.end(), forms.begin(), forms.end());
    }
    set(option->keyword, option->val);
  }
  if (!options.password.empty()) {
    auto forms = secret_forms(options.password.reveal());
    parameters.secrets.insert(parameters.secrets.end(), forms.begin(), forms.end());
    set("password", options.password.reveal());
  }
  set("client_encoding", "UTF8");
  if (!options.application_name.empty()) set("application_name", options.application_name);
  if (replication) set("replication", "database");
  return parameters;
}

}  // namespace cnx::postgres
