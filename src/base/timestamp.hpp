#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace taskctl {

/// One text timestamp, taken apart but not yet placed in a zone.
struct ParsedTimestamp {
  LocalTime local;                             ///< as written
  char separator;                              ///< 'T' or ' '
  std::optional<std::chrono::minutes> offset;  ///< of the zone in the text; 0 for Z; nullopt when it names none
};

/// Reads `Z`, `±HH`, `±HH:MM` or `±HHMM`, at most 15:59 either way; nullopt for anything else.
std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text);

/// Reads `YYYY-MM-DD[T ]HH:MM[:SS[.fraction]][Z|±HH[:MM]|±HHMM]`; fraction of any length, cut to µs;
/// lower-case t and z too, blank before the offset too; second 60 is refused; years 0001-9999.
/// Returns nullopt for anything else. The strictness is what keeps text from being guessed at.
std::optional<ParsedTimestamp> parse_timestamp_text(std::string_view text);

/// RFC 3339 with a mandatory zone, for --now. Throws Error{usage} naming `option`.
Instant parse_instant(std::string_view text, std::string_view option);

/// `2025-12-19T08:54:56Z`; with microseconds `…56.123456Z` only when they are not zero.
std::string format_instant(Instant instant);

/// Fields of a local time as text: separator and number of fraction digits (0-6) are the caller's.
std::string format_local(LocalTime local, char separator, int fraction_digits);

/// `20251219_085456` in UTC, for file names.
std::string format_compact(Instant instant);

}  // namespace taskctl
