// The fields of the requests, packed; one function a message that has any. Which fields a version
// knows is decided here.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "bolt/options.hpp"
#include "bolt/packstream.hpp"
#include "bolt/version.hpp"

namespace bolt {

// Each appends the message's fields, without the structure's header.
void pack_hello(Packer& packer, const Options& options, const Features& features);
void pack_auth(Packer& packer, const Auth& auth);
// The `extra` map of BEGIN and of an auto-commit RUN.
void pack_transaction(Packer& packer, const TransactionOptions& transaction,
                      std::string_view database, Dialect dialect);
// The map of PULL and DISCARD.
void pack_count(Packer& packer, int64_t count);
void pack_route(Packer& packer, const Map& context, const std::vector<std::string>& bookmarks,
                std::string_view database);

}  // namespace bolt
