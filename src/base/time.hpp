#pragma once

#include <chrono>
#include <cstdint>

namespace taskctl {

/// A point in time, UTC, microseconds since 1970. Covers years -290,000 to 290,000; taskctl reads
/// and writes years 1 to 9999.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// A length of time. Never a bare number in an interface.
using Duration = std::chrono::microseconds;

/// Wall-clock time of some zone, not yet an instant.
using LocalTime = std::chrono::local_time<std::chrono::microseconds>;

}  // namespace taskctl
