#pragma once

#include <string>

#include "engine/lister.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

/// ID KIND STATUS AGE SINCE WORKER RULE CERTAINTY RECONCILE, one row per item.
[[nodiscard]] TableWriter finding_table();
void add_finding(TableWriter& table, const ListItem& item, Instant now);

/// What reconcile would do with it, in a few words: "failed", "left: needs --max-age", "undecided", "left: hazard
/// applying", "-".
[[nodiscard]] std::string repair_words(const Finding& finding);

/// "7 stuck (7 possible), 1 fine; reconcile would repair 7" – the one line under a listing.
[[nodiscard]] std::string summary_line(const ListSummary& summary);

/// "status: running → failed" lines of a unit, one per changed column.
[[nodiscard]] std::vector<std::string> change_lines(const Change& change);

}  // namespace taskctl
