#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace taskctl {

// One id a line, as `--output ids` prints them and `cancel -` reads them.

/// The id itself; one that cannot stand on a line by itself (control characters, a leading double quote or blank, a
/// blank at its end) as a JSON string. nullopt: not even so, because it is not UTF-8 either.
[[nodiscard]] std::optional<std::string> id_line(std::string_view id);

/// The inverse. A line that begins with a double quote is a JSON string; throws Error{usage} when it is not one.
[[nodiscard]] std::string parse_id_line(std::string_view line);

}  // namespace taskctl
