#include "bolt/dial.hpp"

#include "bolt/socket.hpp"

namespace bolt {

cnx::Result<std::unique_ptr<Transport>> dial(const Options& options, cnx::TimePoint deadline) {
  if (options.encryption != Encryption::none) {
    return cnx::fail(cnx::ErrorKind::unsupported, "TLS is not built in");
  }
  CNX_TRY(Socket socket, Socket::connect(options.host, options.port, deadline));
  return std::make_unique<Socket>(std::move(socket));
}

}  // namespace bolt
