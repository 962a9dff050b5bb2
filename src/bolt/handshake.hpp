// The first bytes of a connection: both sides agree on a version. Without I/O; when it is done,
// exchange.hpp goes on.
//
//   client: 60 60 B0 17, then four proposals of four bytes  00 RR MM JJ: version JJ.MM and RR
//   minors below it; zero: none server: 00 00 MM JJ, the first proposal that fits; zero: none does,
//   and it closes
//
// Manifest (5.7 and later): the first proposal is 00 00 01 FF. The server answers with it, a varint
// N, N ranges 00 RR MM JJ and a varint of capabilities; the client answers 00 00 MM JJ and a varint
// of the capabilities it takes (none).
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "bolt/version.hpp"

namespace bolt {

// One thread.
class Handshake {
 public:
  explicit Handshake(Version newest);

  // What is to be sent next; the caller takes all of it before it feeds received bytes.
  cnx::Bytes take_outgoing() { return std::exchange(out_, {}); }
  // Consumes from the front of `input`. true: a version is agreed, and what is left of `input` is
  // not the handshake's; take_outgoing() may hold the last words, which may travel together with
  // HELLO. unsupported: no common version, or the other side speaks something else; malformed.
  cnx::Result<bool> receive(cnx::BytesView& input);
  // Once receive() said true.
  Version chosen() const { return chosen_; }

 private:
  cnx::Result<bool> on_answer();
  cnx::Result<bool> on_manifest();

  Version newest_;
  cnx::Bytes out_;
  cnx::Bytes in_;
  Version chosen_;
};

}  // namespace bolt
