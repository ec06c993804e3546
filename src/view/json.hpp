#pragma once

#include <nlohmann/json.hpp>

#include "base/exit_code.hpp"
#include "engine/applier.hpp"
#include "engine/lister.hpp"
#include "engine/plan.hpp"
#include "model/run.hpp"

namespace taskctl {

using Json = nlohmann::ordered_json;

/// The JSON forms shared by commands. Times are RFC 3339 UTC; invalid UTF-8 becomes U+FFFD. Fields are only ever added.
[[nodiscard]] Json to_json(const Task& task, std::optional<Duration> age);
[[nodiscard]] Json to_json(const Finding& finding, Instant now);
[[nodiscard]] Json to_json(const ListSummary& summary);
[[nodiscard]] Json to_json(const Change& change);
[[nodiscard]] Json to_json(const PlanUnit& unit, Instant now);
[[nodiscard]] Json to_json(const UnitReport& report);
[[nodiscard]] Json to_json(const LeftOut& left);
[[nodiscard]] Json to_json(const RunRecord& run);
[[nodiscard]] Json to_json(const JournalEntry& entry);
[[nodiscard]] Json to_json(const Value& value);
/// A string, or an array of strings for a composite key.
[[nodiscard]] Json key_json(const TaskKey& key);
[[nodiscard]] Json time_json(const TimeFact& time);
/// One line; invalid UTF-8 replaced, never throws.
[[nodiscard]] std::string dump(const Json& json);
/// Indented by two.
[[nodiscard]] std::string dump_pretty(const Json& json);

/// {"error":{"code":5,"name":"refused","message":…,"hint":…}}
[[nodiscard]] Json error_json(int code, const std::string& message, const std::string& hint);

}  // namespace taskctl
