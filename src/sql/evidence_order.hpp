#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"
#include "sql/schema.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

// Which row of an [[evidence]] table comes first. Private to the renderer.

/// The profile's column, and the row's key where that column does not settle the order alone.
[[nodiscard]] std::vector<std::string> evidence_order_columns(const StatementWriter& writer,
                                                              const EvidenceSource& source);
/// The same as the terms of ORDER BY; NULL comes last either way.
[[nodiscard]] std::string evidence_order(const StatementWriter& writer, const EvidenceSource& source,
                                         std::string_view alias);
/// Does an index begin with a column by which rows belong to tasks?
[[nodiscard]] bool is_found_by_index(const TableInfo& table, const EvidenceSource& source);

}  // namespace taskctl
