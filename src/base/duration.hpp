#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"

namespace taskctl {

/// What a number without a unit means: hours (only for --max-age) or an error.
enum class BareNumber { hours, refused };

/// Reads `90s`, `30m`, `1h30m`, `2d`, `500ms`: digits and units w d h m s ms (w = 7 d), largest first, each
/// at most once; with BareNumber::hours also a plain decimal ("6", "0.5"). No sign, no space, no
/// exponent, no leading zero before another digit; at most 100 years.
/// `option` is named in the error. Throws Error{usage}.
Duration parse_duration(std::string_view text, BareNumber bare, std::string_view option);

/// Two most significant units: "66h49m", "2d18h" never mixes more; "0s" for zero; "-" prefix when negative.
/// Hours up to 100 h, then days. Used in tables.
std::string format_age(Duration age);

/// Exact, and readable again by parse_duration ("1h30m"); microseconds are cut to whole milliseconds.
std::string format_duration(Duration duration);

}  // namespace taskctl
