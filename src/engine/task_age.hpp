#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/task.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// From when the age of a task counts.
struct Since {
  std::optional<Instant> at;  ///< nullopt: nothing readable says so
  std::string source;         ///< column that says it; the one that failed to when `at` is absent
  bool heartbeat =
      false;  ///< a heartbeat stands in for the start; one ahead of our clock means "alive", not "not started"
  bool sighted = false;  ///< it is not a time of the row but when taskctl first saw the row as it is now
  std::string problem;   ///< why `at` is absent: "started_at cannot be read ('soon')"
};

/// The start; when that is absent (NULL), the first known time of the profile's chain, and at its end, where the
/// profile says so, when taskctl first saw the task active. A start that is there but cannot be read has no substitute.
[[nodiscard]] Since since_of(const Task& task, const Profile& profile);

/// From when a queued task waits: it was created, and a later start (of an earlier attempt) means that it was queued
/// again after that. Without a creation time as since_of().
[[nodiscard]] Since waiting_since(const Task& task, const Profile& profile);

/// The newest known time of the row. Leases count not: they lie ahead by design. Times in the future count.
[[nodiscard]] std::optional<Instant> newest_time(const TaskTimes& times);

/// What people call a property: its column, or `otherwise` for an expression.
[[nodiscard]] std::string source_name(const Attribute& attribute, std::string_view otherwise);

/// "2h31m ago", or "in 5h0m" for a time ahead.
[[nodiscard]] std::string distance(Instant at, Instant now);

}  // namespace taskctl
