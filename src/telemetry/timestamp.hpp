// A moment as the log and the health bodies write it.
#pragma once

#include <chrono>
#include <string>

namespace cnx::telemetry {

// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z". Pure.
std::string timestamp(std::chrono::system_clock::time_point time);

}  // namespace cnx::telemetry
