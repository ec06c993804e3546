#include "view/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_widest = 40;
constexpr std::size_t k_narrowest = 4;
constexpr std::size_t k_row_indent = 2;
constexpr std::size_t k_column_gap = 2;

}  // namespace

std::string bar_text(std::int64_t count, std::int64_t largest, std::size_t width, bool utf8) {
  static constexpr std::array<std::string_view, 8> k_eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (count <= 0 || largest <= 0) {
    return {};
  }
  const std::size_t steps = utf8 ? k_eighths.size() : 1;
  const double share = static_cast<double>(count) / static_cast<double>(largest);
  const auto units = std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(width * steps)));
  std::string bar;
  for (std::size_t i = 0; i < units / steps; ++i) {
    bar += utf8 ? "█" : "#";
  }
  return bar + std::string{k_eighths.at(units % steps)};
}

void print_bars(Streams& streams, const std::vector<Bar>& bars) {
  std::size_t label_width = 0;
  std::size_t count_width = 0;
  std::int64_t largest = 0;
  for (const Bar& bar : bars) {
    label_width = std::max(label_width, display_width(bar.label));
    count_width = std::max(count_width, fmt::formatted_size("{}", bar.count));
    largest = std::max(largest, bar.count);
  }
  const std::size_t used = k_row_indent + label_width + k_column_gap + count_width + k_column_gap;
  const std::size_t terminal = streams.options().width;
  const std::size_t left = terminal == 0 ? k_widest : terminal > used ? terminal - used : 0;
  const std::size_t width = left < k_narrowest ? 0 : std::min(left, k_widest);
  for (const Bar& bar : bars) {
    std::string line =
        fmt::format("{:{}}{}{}{:>{}}", "", k_row_indent, bar.label,
                    std::string(label_width - display_width(bar.label) + k_column_gap, ' '), bar.count, count_width);
    if (width > 0 && bar.count > 0) {
      line += std::string(k_column_gap, ' ') + bar_text(bar.count, largest, width, streams.options().utf8);
    }
    streams.line(line);
  }
}

}  // namespace taskctl
