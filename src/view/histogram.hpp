#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "view/streams.hpp"

namespace taskctl {

struct Bar {
  std::string label;
  std::int64_t count = 0;
};

/// One line per bar: label, count, and a bar as long as the count, the largest filling the width that the terminal
/// leaves (at most 40 columns). Eighths of a block where the terminal shows UTF-8, '#' elsewhere; what is not zero
/// always shows. A terminal too narrow for bars gets the figures only.
void print_bars(Streams& streams, const std::vector<Bar>& bars);

/// A bar of count / largest of `width` columns.
[[nodiscard]] std::string bar_text(std::int64_t count, std::int64_t largest, std::size_t width, bool utf8);

}  // namespace taskctl
