#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/value_kind.hpp"

namespace taskctl {

/// A word that could stand where the cursor is.
struct Suggestion {
  std::string text;
  std::string note;  ///< what it is, in a few words; may be empty
};

struct CompletionReply {
  enum class Paths { none, files, folders };
  Paths paths = Paths::none;  ///< offered besides the candidates
  std::vector<Suggestion> candidates;
};

/// What is asked of the world outside of the command line.
struct ValueQuestion {
  ValueKind kind = ValueKind::free;
  std::string value;     ///< name of the value: "WORKER", "RUN"
  TargetOptions target;  ///< --db, --target and the like, as far as they are typed
  bool writes = false;   ///< the command may write: it does not use DATABASE_URL
};
using ValueSource = std::function<std::vector<Suggestion>(const ValueQuestion&)>;

/// What completes the last of `words`, which are those after "taskctl" up to the cursor. Never throws.
[[nodiscard]] CompletionReply complete(const std::vector<Command>& commands, const std::vector<std::string>& words,
                                       const ValueSource& outside);

/// Targets, profiles, runs, tasks and their attributes. Reads configuration files; for the rest it runs this program's
/// own reading commands, ends them after a second, and returns nothing when they fail.
[[nodiscard]] std::vector<Suggestion> outside_values(const ValueQuestion& question);

/// As the completion scripts read it: "words", "files" or "folders", then one candidate a line with a tab before the
/// note. Candidates that a line cannot carry are left out.
[[nodiscard]] std::string reply_text(const CompletionReply& reply);

}  // namespace taskctl
