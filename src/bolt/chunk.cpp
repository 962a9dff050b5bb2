#include "bolt/chunk.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace bolt {

void ChunkWriter::write(cnx::BytesView bytes) {
  while (!bytes.empty()) {
    if (filled_ == 0) {
      header_at_ = out_.size();
      out_.resize(header_at_ + 2);
    }
    size_t part = std::min(bytes.size(), kChunkBytesMax - filled_);
    out_.insert(out_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
    filled_ += part;
    bytes = bytes.subspan(part);
    if (filled_ == kChunkBytesMax) close_chunk();
  }
}

void ChunkWriter::close_chunk() {
  out_[header_at_] = static_cast<std::byte>(filled_ >> 8);
  out_[header_at_ + 1] = static_cast<std::byte>(filled_ & 0xFF);
  filled_ = 0;
}

void ChunkWriter::finish() {
  if (filled_ != 0) close_chunk();
  out_.resize(out_.size() + 2);
}

cnx::Result<bool> Dechunker::take(cnx::BytesView& input) {
  if (whole_) {
    message_.clear();
    whole_ = false;
  }
  while (!input.empty()) {
    if (left_ == 0) {
      header_ = header_ << 8 | static_cast<size_t>(input.front());
      input = input.subspan(1);
      if (++header_read_ < 2) continue;
      left_ = header_;
      header_ = 0;
      header_read_ = 0;
      if (left_ > 0) continue;
      if (message_.empty()) continue;  // A NOOP.
      whole_ = true;
      return true;
    }
    size_t part = std::min(left_, input.size());
    if (part > message_bytes_max_ - message_.size()) {
      return cnx::fail(cnx::ErrorKind::malformed, "a message of the server is longer than " +
                                                      std::to_string(message_bytes_max_) +
                                                      " bytes");
    }
    message_.insert(message_.end(), input.begin(),
                    input.begin() + static_cast<std::ptrdiff_t>(part));
    left_ -= part;
    input = input.subspan(part);
  }
  return false;
}

}  // namespace bolt
