// From options to a connected transport: the one place that chooses between plain TCP and TLS.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "bolt/options.hpp"
#include "bolt/transport.hpp"

namespace bolt {

// Connects, and where the options ask for TLS has it established and verified: nothing was sent
// before. Never falls back to plain. Blocks until `deadline`. unavailable; timeout; invalid: the
// TLS options.
cnx::Result<std::unique_ptr<Transport>> dial(const Options& options, cnx::TimePoint deadline);

}  // namespace bolt
