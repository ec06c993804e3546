#pragma once

#include "model/selector.hpp"
#include "store/sightings.hpp"
#include "store/task_store.hpp"

namespace taskctl {

struct Observation {
  Instant now{};  ///< the database's clock: first seen, for what was not seen before
  SightingCounts counts;
  bool complete = true;  ///< all active tasks were looked at, so that the others could be forgotten
};

/// Notes the active tasks that the selector leaves, in one short read transaction, memory flat. Whoever is not active
/// any more is forgotten, unless there is a selector (of which rules and certainties are not looked at) or rows are
/// hidden. For profiles that count from when a task was first seen. Throws BusyError while another observation goes on.
Observation observe_tasks(TaskStore& store, const Sightings& sightings, const Selector& selector);

}  // namespace taskctl
