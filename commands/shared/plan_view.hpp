#pragma once

#include <string>

#include "cli/context.hpp"
#include "engine/applier.hpp"
#include "engine/plan.hpp"
#include "view/format.hpp"
#include "view/json.hpp"

namespace taskctl {

/// "1 task", "2 tasks".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view noun);

/// What --dry-run prints: every change of every task, then what is left alone and why.
void print_plan(Streams& streams, const Plan& plan, const Session& session);

/// What the plan leaves alone, grouped by why, with what to type when it is meant all the same.
void print_left_out(Streams& streams, const Plan& plan);

/// Applied / moved on / conflict / busy / failed, the rows per status before and after, and how to take it back.
void print_result(Streams& streams, const Plan& plan, const ApplyResult& result);

/// Writes one JSON document piece by piece, so that a large plan is never whole in memory:
/// begin (schema, target, now, plan) – units – left_out – then result and exit.
class PlanJson {
 public:
  PlanJson(Streams& streams, const Plan& plan, const Session& session, bool dry_run);
  void result(const ApplyResult& result, const std::string& backup);
  /// Closes the document; must be called once.
  void end(int exit_code);

 private:
  Streams& m_streams;
  const Plan& m_plan;
};

}  // namespace taskctl
