#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/context.hpp"
#include "engine/applier.hpp"
#include "engine/plan.hpp"
#include "engine/plan_check.hpp"
#include "view/format.hpp"
#include "view/json.hpp"
#include "view/plan_file.hpp"

namespace taskctl {

/// "1 task", "2 tasks".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);

/// "3 tasks", "3 tasks and 1 row beside them", "1 row".
[[nodiscard]] std::string plan_size_text(const Plan& plan);

/// What --dry-run prints: every change of every task, then what is left alone and why. With a check, how each task
/// compares with the database now.
void print_plan(Streams& streams, const Plan& plan, const std::string& target, const PlanCheck* check = nullptr);

/// "2 fresh, 1 changed"
[[nodiscard]] std::string freshness_counts(const PlanCheck& check);

/// What the plan leaves alone, grouped by why, with what to type when it is meant all the same.
void print_left_out(Streams& streams, const Plan& plan);

/// Applied / moved on / conflict / busy / failed, the rows per status before and after, and how to take it back:
/// `words` name the target in commands to type next.
/// "applied 3, moved on 0, …"
[[nodiscard]] std::string applied_text(const ApplyResult& result);
/// What was not done and why, of three tasks; empty when all was.
[[nodiscard]] std::string unfinished_text(const Plan& plan, const ApplyResult& result);
void print_result(Streams& streams, const Plan& plan, const std::map<std::string, std::int64_t>& before,
                  const ApplyResult& result, const std::string& words);

/// Writes one JSON document piece by piece, so that a large plan is never whole in memory:
/// begin (schema, target, now, plan) – units – left_out – then result and exit.
class PlanJson {
 public:
  PlanJson(Streams& streams, const Plan& plan, const std::string& target, bool dry_run,
           const PlanCheck* check = nullptr);
  /// The file that the plan was saved to, or came from.
  void plan_file(const std::string& path, const PlanFileInfo& info);
  /// Why the plan cannot be applied any more; empty: it can.
  void problems(const std::vector<std::string>& problems);
  void result(const ApplyResult& result, const std::string& backup);
  /// Closes the document; must be called once.
  void end(int exit_code);

 private:
  Streams& m_streams;
  const Plan& m_plan;
};

}  // namespace taskctl
