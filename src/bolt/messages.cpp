#include "bolt/messages.hpp"

namespace bolt {
namespace {

size_t auth_entries(const Auth& auth) {
  switch (auth.scheme) {
    case Auth::Scheme::none:
      return 1;
    case Auth::Scheme::basic:
      return 3;
    case Auth::Scheme::bearer:
      return 2;
  }
  return 0;
}

void pack_auth_entries(Packer& packer, const Auth& auth) {
  packer.string("scheme");
  switch (auth.scheme) {
    case Auth::Scheme::none:
      packer.string("none");
      return;
    case Auth::Scheme::basic:
      packer.string("basic");
      packer.string("principal");
      packer.string(auth.user);
      break;
    case Auth::Scheme::bearer:
      packer.string("bearer");
      break;
  }
  packer.string("credentials");
  packer.string(auth.password.reveal());
}

void pack_strings(Packer& packer, const std::vector<std::string>& strings) {
  packer.list_header(strings.size());
  for (const std::string& string : strings) packer.string(string);
}

}  // namespace

void pack_hello(Packer& packer, const Options& options, const Features& features) {
  bool filter = features.notification_filter && !options.notifications_minimum_severity.empty();
  size_t entries = 1 + (features.bolt_agent ? 1 : 0) + (features.patch_bolt ? 1 : 0) +
                   (options.routing ? 1 : 0) + (filter ? 1 : 0) +
                   (features.logon ? 0 : auth_entries(options.auth));
  packer.map_header(entries);
  packer.string("user_agent");
  packer.string(options.user_agent);
  if (features.bolt_agent) {
    packer.string("bolt_agent");
    packer.map_header(1);
    packer.string("product");
    packer.string(options.user_agent);
  }
  if (features.patch_bolt) {
    packer.string("patch_bolt");
    packer.list_header(1);
    packer.string("utc");
  }
  if (options.routing) {
    packer.string("routing");
    packer.map(options.routing_context);
  }
  if (filter) {
    packer.string("notifications_minimum_severity");
    packer.string(options.notifications_minimum_severity);
  }
  if (!features.logon) pack_auth_entries(packer, options.auth);
}

void pack_auth(Packer& packer, const Auth& auth) {
  packer.map_header(auth_entries(auth));
  pack_auth_entries(packer, auth);
}

void pack_transaction(Packer& packer, const TransactionOptions& transaction,
                      std::string_view database, Dialect dialect) {
  std::string_view chosen =
      transaction.database.empty() ? database : std::string_view(transaction.database);
  bool read = transaction.mode == TransactionOptions::Mode::read;
  bool timeout = transaction.timeout.count() > 0;
  packer.map_header((read ? 1u : 0u) + (chosen.empty() ? 0u : 1u) + (timeout ? 1u : 0u) +
                    (transaction.metadata.empty() ? 0u : 1u) +
                    (transaction.bookmarks.empty() ? 0u : 1u) +
                    (transaction.impersonated_user.empty() ? 0u : 1u));
  if (!transaction.bookmarks.empty()) {
    packer.string("bookmarks");
    pack_strings(packer, transaction.bookmarks);
  }
  if (timeout) {
    packer.string("tx_timeout");
    packer.integer(transaction.timeout.count());
  }
  if (!transaction.metadata.empty()) {
    packer.string("tx_metadata");
    packer.map(transaction.metadata, dialect);
  }
  if (read) {
    packer.string("mode");
    packer.string("r");
  }
  if (!chosen.empty()) {
    packer.string("db");
    packer.string(chosen);
  }
  if (!transaction.impersonated_user.empty()) {
    packer.string("imp_user");
    packer.string(transaction.impersonated_user);
  }
}

void pack_count(Packer& packer, int64_t count) {
  packer.map_header(1);
  packer.string("n");
  packer.integer(count);
}

void pack_route(Packer& packer, const Map& context, const std::vector<std::string>& bookmarks,
                std::string_view database) {
  packer.map(context);
  pack_strings(packer, bookmarks);
  packer.map_header(database.empty() ? 0 : 1);
  if (!database.empty()) {
    packer.string("db");
    packer.string(database);
  }
}

}  // namespace bolt
