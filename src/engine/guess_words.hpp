#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/task.hpp"

namespace taskctl {

/// What names of columns and statuses usually mean. Knowledge about words only: no database, no values.

/// The words of a name in lower case: "lastHeartbeatAt", "LAST_HEARTBEAT_AT" → last, heartbeat, at.
[[nodiscard]] std::vector<std::string> words_of(std::string_view name);

/// The class that a status of this name usually is; nullopt when the word is not known.
[[nodiscard]] std::optional<TaskClass> class_of_word(std::string_view status);

/// How well a word for a class fits: of several failed statuses "failed" is the one to write. Lower is better.
[[nodiscard]] std::size_t rank_of_word(std::string_view status);

enum class PropertyKind { label, number, time };

/// A property of a task that a column may hold; `flag` is its option on the command line and its name here.
struct Property {
  std::string_view flag;
  PropertyKind kind = PropertyKind::label;
  std::vector<std::string_view> words;  ///< best first: names of such columns without "at", "time", "job_" …
};
/// In the order in which columns are given out.
[[nodiscard]] const std::vector<Property>& known_properties();

/// The last sign of life of a worker, in a table of workers: there "notified" or "updated" is one too.
[[nodiscard]] const Property& worker_heartbeat();

/// How well a column's name fits: 0 not at all, up to 1000. `table` is the table's name: job_state of table jobs is its
/// state.
[[nodiscard]] int name_score(const Property& property, std::string_view column, std::string_view table);

/// How much the name of a table sounds like one of tasks; negative: like something beside them.
[[nodiscard]] int table_name_score(std::string_view table);
/// Whether the name sounds like that of a table of workers.
[[nodiscard]] bool names_workers(std::string_view table);

}  // namespace taskctl
