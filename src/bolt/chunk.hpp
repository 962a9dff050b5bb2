// Messages to chunks and back: the layer between PackStream and the socket.
//
//   message = { length(2, 1 … 65535) payload } 00 00        a bare 00 00 between messages is a
//   NOOP: a sign of life
//
// Boundaries of chunks carry no meaning.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bolt {

constexpr size_t kChunkBytesMax = 65535;

// Writes one message into `out`, chunked while it is copied, so that megabytes of parameters are
// copied once. One thread.
class ChunkWriter {
 public:
  explicit ChunkWriter(cnx::Bytes& out) : out_(out) {}
  void write(cnx::BytesView bytes);
  // Ends the message; it must not be empty (that would be a NOOP).
  void finish();

 private:
  void close_chunk();

  cnx::Bytes& out_;
  size_t header_at_ = 0;
  size_t filled_ = 0;  // Payload in the open chunk; 0: none is open.
};

// Puts messages together again, whatever pieces they come in. One thread.
class Dechunker {
 public:
  explicit Dechunker(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // Consumes from the front of `input` up to the end of a message. true: message() is whole; call
  // again for the rest. false: the input is used up. malformed: a message longer than the limit.
  cnx::Result<bool> take(cnx::BytesView& input);
  // Valid until the next take().
  cnx::BytesView message() const { return message_; }
  // No message is begun.
  bool between_messages() const {
    return header_read_ == 0 && left_ == 0 && (message_.empty() || whole_);
  }

 private:
  size_t message_bytes_max_;
  cnx::Bytes message_;
  bool whole_ = false;
  size_t header_read_ = 0;
  size_t header_ = 0;
  size_t left_ = 0;  // Of the chunk being read.
};

}  // namespace bolt
