#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "base/zone.hpp"
#include "model/task.hpp"
#include "model/value.hpp"

namespace taskctl {

/// How a time stands in a column.
enum class TimeFormat {
  timestamptz,  ///< PostgreSQL timestamptz
  naive,        ///< PostgreSQL timestamp without time zone: needs a zone
  text,         ///< ISO 8601 text; a zone in the text wins, otherwise the style's zone
  unix_s,
  unix_ms,
  unix_us,
  unix_ns,     ///< integers; what is finer than a microsecond is cut
  unix_float,  ///< seconds with fraction
  julian_day,  ///< SQLite's julianday()
};

/// One [encoding.NAME] of a profile.
struct TimeStyle {
  std::string name;
  TimeFormat format = TimeFormat::text;
  std::optional<Zone> zone;   ///< of values that carry none
  bool zone_in_text = false;  ///< zone = "in-text": a text without a zone is unreadable
  char separator = '\0';      ///< text: 'T' or ' '; '\0' reads both and writes 'T'
  int fraction = 0;           ///< digits written, 0-6; any number is read
};

/// How one column is read (first style that fits) and written.
struct ColumnEncoding {
  std::vector<TimeStyle> read;
  TimeStyle write;
};

/// How a store hands over a time: SQLite gives the raw typed value; PostgreSQL gives timestamptz and
/// timestamp as whole µs since 1970 (timestamp: of the wall clock) in a text, everything else as text.
/// NULL is absent. Values outside years 1-9999 and infinities are unreadable.
[[nodiscard]] TimeFact decode_time(const Value& value, const ColumnEncoding& encoding);

/// `at` as the column's own style: int64 for unix_*, double for float and julian, text otherwise
/// (timestamptz: with +00; naive: wall clock of the zone). Cut, not rounded, to the style's digits.
[[nodiscard]] Value encode_time(Instant at, const TimeStyle& style);

}  // namespace taskctl
