#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/plan.hpp"

namespace taskctl {

inline constexpr std::string_view k_plan_format = "taskctl.plan/1";

/// What a saved plan says beside the plan itself.
struct PlanFileInfo {
  std::string written_by;  ///< version of taskctl
  std::string target;      ///< as the command that planned called it, without secrets; for people
  std::string journal;     ///< uuid of the journal in a SQLite database; empty when there was none
  Instant created{}, expires{};
  std::string sha256;  ///< of the file, without its last line
};

// Lines of a saved plan: one JSON object each, without newline. What decode_ gives back is equal to what encode_ got,
// bit for bit; it throws Error{mismatch} or a JSON exception for anything else. A change that an older taskctl would
// misunderstand needs another k_plan_format.

/// Everything but units and the list of what was left out; with the hash of the whole plan.
[[nodiscard]] std::string encode_plan_header(const Plan& plan, const PlanFileInfo& info);
struct PlanHeader {
  Plan plan;  ///< without units and left_out
  PlanFileInfo info;
  std::string plan_hash;
  std::size_t units = 0, left_out = 0;  ///< lines that follow
};
[[nodiscard]] PlanHeader decode_plan_header(std::string_view line);
/// "taskctl.plan/2", "1.4.0": what the header says first, whatever the rest looks like. Empty when it does not.
struct PlanFormat {
  std::string format, written_by;
};
[[nodiscard]] PlanFormat plan_format_of(std::string_view line);

/// Of an update's after-image only the columns that get another value are written.
[[nodiscard]] std::string encode_plan_unit(const PlanUnit& unit);
[[nodiscard]] PlanUnit decode_plan_unit(std::string_view line);

[[nodiscard]] std::string encode_left_out(const LeftOut& left);
[[nodiscard]] LeftOut decode_left_out(std::string_view line);

}  // namespace taskctl
