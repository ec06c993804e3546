#include "sql/set_value.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sql/column_type.hpp"

namespace taskctl {

TimeStyle time_style(const Profile& profile, const Dialect& dialect, const std::string& table, const ColumnInfo& target,
                     const Fragment& fragment) {
  if (const ColumnEncoding* encoding = profile.encoding_of(table, target.name)) {
    return encoding->write;
  }
  if (dialect.engine() == Engine::postgres && target.type.find("with time zone") != std::string::npos) {
    return {.format = TimeFormat::timestamptz};
  }
  throw Error{ExitCode::usage,
              fmt::format("{}: column '{}' has no time encoding for its time", fragment.where().display(), target.name),
              fmt::format("Name its encoding in [times.{}].", table)};
}

std::string now_text(Instant now) {
  const TimeStyle style{.zone = Zone::find("UTC"), .separator = 'T', .fraction = 3};
  return std::get<std::string>(encode_time(now, style)) + "Z";
}

std::string cast_to_column(const Dialect& dialect, const std::string& value, const ColumnInfo& target, bool cut) {
  if (dialect.engine() == Engine::sqlite) {
    return value;  // TaskStore applies the column's affinity
  }
  return fmt::format("{}::{}", value, cut ? target.type : lossless_cast(target.type));
}

void require_settable(const ColumnInfo& target, const Fragment& fragment) {
  if (target.generated) {
    throw Error{ExitCode::mismatch,
                fmt::format("{}: column '{}' is generated and cannot be set", fragment.where().display(), target.name)};
  }
}

bool is_only_reason(const Fragment& fragment) {
  const auto is_blank = [](const Fragment::Piece& piece) {
    return !piece.placeholder && piece.text.find_first_not_of(" \t\r\n") == std::string::npos;
  };
  const auto is_reason = [](const Fragment::Piece& piece) { return piece.placeholder && piece.text == "reason"; };
  const auto& pieces = fragment.pieces();
  return std::ranges::count_if(pieces, is_reason) == 1 &&
         std::ranges::all_of(pieces, [&](const Fragment::Piece& p) { return is_blank(p) || is_reason(p); });
}

}  // namespace taskctl
