// What a connection needs from its socket, so that plain TCP, TLS and a test's script look alike.
#pragma once

#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bolt {

// One thread. No call blocks.
class Transport {
 public:
  virtual ~Transport() = default;
  // Bytes read into `into`; nullopt: nothing is there yet; 0: the other side has closed.
  // unavailable: the connection broke.
  virtual cnx::Result<std::optional<size_t>> read(std::span<std::byte> into) = 0;
  // Bytes taken from `from`; nullopt: no room now. unavailable: the connection broke.
  virtual cnx::Result<std::optional<size_t>> write(cnx::BytesView from) = 0;
  // For poll(2).
  virtual int fd() const = 0;
  // It must become writable before anything can go on, also where nothing is to be sent (TLS).
  virtual bool wants_write() const { return false; }
  // Ends the connection in order; further calls are errors.
  virtual void close() = 0;
};

}  // namespace bolt
