#include "commands/registry.hpp"

#include "commands/backup/backup.hpp"
#include "commands/cancel/cancel.hpp"
#include "commands/completion/completion.hpp"
#include "commands/config/config.hpp"
#include "commands/explain/explain.hpp"
#include "commands/grants/grants.hpp"
#include "commands/guard/guard.hpp"
#include "commands/history/history.hpp"
#include "commands/list-stuck/list_stuck.hpp"
#include "commands/list-workers/list_workers.hpp"
#include "commands/observe/observe.hpp"
#include "commands/plan/plan.hpp"
#include "commands/profile/profile.hpp"
#include "commands/reconcile/reconcile.hpp"
#include "commands/release-worker/release_worker.hpp"
#include "commands/resume/resume.hpp"
#include "commands/show/show.hpp"
#include "commands/stats/stats.hpp"
#include "commands/undo/undo.hpp"

namespace taskctl {

std::vector<Command> all_commands() {
  return {
      make_command("list-stuck", "List tasks that are wrong, since when, why, and what reconcile would do", "look",
                   declare_list_stuck, run_list_stuck),
      make_command("list-workers", "List workers: alive, dead or unknown, what they hold, and their accounts", "look",
                   declare_list_workers, run_list_workers),
      make_command("show", "Show one task: its row, its worker, and every rule with why it fired or did not", "look",
                   declare_show, run_show),
      make_command("stats", "Count tasks by status, by age, and what is stuck by rule, kind and worker", "look",
                   declare_stats, run_stats),
      make_command("observe", "Note which tasks are active now: their age, where no column says when they began",
                   "look", declare_observe, run_observe),
      make_command("explain", "Explain a rule: what it means, how it comes about, what the repair does", "look",
                   declare_explain, run_explain),
      make_command("reconcile", "Repair what list-stuck finds: previewed, backed up, guarded, journalled", "repair",
                   declare_reconcile, run_reconcile),
      make_command("cancel", "End the tasks that you name; with --force running ones too", "repair", declare_cancel,
                   run_cancel),
      make_command("release-worker", "End everything that a dead worker held, and put its accounts right", "repair",
                   declare_release_worker, run_release_worker),
      make_command("undo", "Take a run back: every column of every changed row as it was", "repair", declare_undo,
                   run_undo),
      make_command("plan", "Show a saved plan, and what became of its tasks since", "repair", declare_plan, run_plan),
      make_command("resume", "Go on with a run that was stopped, failed or was killed", "repair", declare_resume,
                   run_resume),
      make_command("history", "List the runs that changed this database, or show one", "look", declare_history,
                   run_history),
      make_command("backup", "Make, list, verify and restore consistent copies", "safety", declare_backup, run_backup),
      make_command("guard", "Install constraints and triggers that keep the contradictions out, or log who writes them",
                   "safety", declare_guard, run_guard),
      make_command("grants", "Print the SQL that gives a PostgreSQL role what a reader or a repairer needs", "setup",
                   declare_grants, run_grants),
      make_command("profile", "List, show, check and write the profiles that say how a schema is read", "setup",
                   declare_profile, run_profile),
      make_command("config", "Show every setting with where it comes from", "setup", declare_config, run_config),
      make_command("completion", "Print the script that completes taskctl's words in bash, zsh or fish", "setup",
                   declare_completion, run_completion),
  };
}

}  // namespace taskctl
