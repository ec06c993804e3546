#pragma once

#include "contract/repair_scene.hpp"
#include "engine/guard.hpp"

namespace taskctl::test {

/// The queue of the tests with a guard on it, as `taskctl guard install` puts it there.
inline Guard guard_of(RepairScene& scene) {
  return {scene.connection(), scene.profile(), scene.store().schema(), "taskctl"};
}

inline void install(RepairScene& scene, GuardMode mode) {
  Guard guard = guard_of(scene);
  guard.run(guard.install_statements(mode));
}

constexpr const char* k_contradiction = "UPDATE tasks SET finished_at = '2025-06-01 11:00:00' WHERE id = 1";

}  // namespace taskctl::test
