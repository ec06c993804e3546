#pragma once

#include "store/sightings.hpp"

namespace taskctl {

/// Sightings in a small SQLite file. Rollback journal: a reader creates nothing, and a writer that is killed leaves
/// either all of its observation or nothing. Every row carries a digest of itself: a damaged one gives no wrong age.
[[nodiscard]] SightingFiles sqlite_sighting_files();

}  // namespace taskctl
