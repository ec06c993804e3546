#pragma once

#include <optional>
#include <string>
#include <vector>

#include "profile/profile.hpp"
#include "profile/time_encoding.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// How the times of a column seem to be written.
struct EncodingGuess {
  std::vector<TimeStyle> read;  ///< most frequent first; empty: no time was seen that says
  std::string why;
  bool zoneless = false;    ///< values carry no zone: which one was assumed decides by hours
  bool two_shapes = false;  ///< texts with 'T' and with a blank: two writers
  std::size_t seen = 0, unread = 0;
  std::optional<Instant> newest;

  [[nodiscard]] bool known() const { return !read.empty(); }
  [[nodiscard]] ColumnEncoding encoding() const { return {read, read.front()}; }
};

/// From the column's type and some of its values. `zone` is what values without one are read in. Values outside the
/// years 1990 to 2100 count as no times: 0 and 1 in an integer column are flags.
EncodingGuess guess_encoding(const ColumnInfo& column, Engine engine, const std::vector<Value>& values,
                             const Zone& zone);

/// An encoding that a person names: "unix-ms", "text", "naive" …; `zone` as above. Throws Error{usage}.
TimeStyle named_style(const std::string& format, const Zone& zone);

/// Can a column of this type hold a time at all? Text and numbers can.
[[nodiscard]] bool may_hold_time(const ColumnInfo& column, Engine engine);
/// timestamp, timestamptz, date: nothing but a time.
[[nodiscard]] bool is_time_type(const ColumnInfo& column, Engine engine);

/// "unix-ms", "text": the word of a profile.
[[nodiscard]] std::string_view format_name(TimeFormat format);

}  // namespace taskctl
