#include "bolt/dial.hpp"

#include "bolt/socket.hpp"
#include "bolt/tls.hpp"

namespace bolt {

cnx::Result<std::unique_ptr<Transport>> dial(const Options& options, cnx::TimePoint deadline) {
  CNX_TRY(Socket socket, Socket::connect(options.host, options.port, deadline));
  if (options.encryption == Encryption::none) return std::make_unique<Socket>(std::move(socket));
  return start_tls(std::move(socket), options, deadline);
}

}  // namespace bolt
