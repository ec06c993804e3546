#pragma once

#include <string>

#include "cli/context.hpp"
#include "engine/stats.hpp"
#include "view/format.hpp"

namespace taskctl {

struct StatsView {
  OutputFormat format = OutputFormat::table;
  std::string target, profile;
  Duration max_age{};
};

void print_stats(Streams& streams, const Stats& stats, const StatsView& view);

}  // namespace taskctl
