#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "engine/workers.hpp"
#include "view/format.hpp"

namespace taskctl {

struct WorkersView {
  OutputFormat format = OutputFormat::table;
  std::string sort = "state";
  std::optional<std::size_t> limit;
  std::vector<Liveness> states;  ///< only these; empty: all
  std::string target;
};

/// Counts of the workers that the view shows, --limit aside.
struct WorkerSummary {
  std::int64_t workers = 0, alive = 0, dead = 0, unknown = 0;
  std::int64_t held = 0, held_by_dead = 0, stuck = 0, wrong_accounts = 0;
};
[[nodiscard]] WorkerSummary summarise(const WorkerSurvey& survey, const WorkersView& view);

/// Prints the workers in one format. The database is closed to it.
void print_workers(Streams& streams, const WorkerSurvey& survey, const WorkersView& view);

}  // namespace taskctl
