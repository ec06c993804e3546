#pragma once

#include <string>

#include "sql/statement_writer.hpp"

namespace taskctl {

// Conditions over the task that hold for every row of which the rule may say something, and for as few others as the
// database can tell. Private to the renderer.

/// attempts-over-limit
[[nodiscard]] std::string more_attempts_than_allowed(const StatementWriter& writer);
/// Does requeueing count attempts in a column that is no text, and is there a limit?
[[nodiscard]] bool counts_attempts_in_requeueing(const StatementWriter& writer);
[[nodiscard]] std::string fewer_attempts_than_allowed(const StatementWriter& writer);
/// started-after-finished. Only the decoder compares times of several encodings or texts: then the row needs both.
[[nodiscard]] std::string may_have_begun_after_end(const StatementWriter& writer);

}  // namespace taskctl
