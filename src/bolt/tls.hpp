// TLS over a socket: the transport of bolt+s, bolt+ssc and their neo4j kin. TLS starts with the
// first byte; what is verified, is verified before the first byte of Bolt, so that no credentials
// reach a stranger.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "bolt/options.hpp"
#include "bolt/socket.hpp"
#include "bolt/transport.hpp"

namespace bolt {

// Takes over a connected socket and establishes TLS (1.2 or later) as the options say. Blocks until
// `deadline`. invalid: a ca_file that cannot be read. unavailable: the server does not speak TLS,
// or its certificate was refused, with the reason (expired, self-signed, another host's). timeout.
cnx::Result<std::unique_ptr<Transport>> start_tls(Socket socket, const Options& options,
                                                  cnx::TimePoint deadline);

}  // namespace bolt
