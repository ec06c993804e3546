#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/value.hpp"
#include "store/connection.hpp"

namespace taskctl::postgres {

using RowsByTable = std::vector<std::pair<TableName, std::vector<RowKey>>>;

/// Writes every row of `rows` that exists in the open transaction's snapshot into a psql script: for each table its
/// definition (a comment), the rows as COPY data, and statements that put changed rows back and missing ones in.
/// Returns how many rows were written by table. Throws Error{backup}.
std::map<std::string, std::int64_t> write_rows(Connection& connection, const RowsByTable& rows,
                                               const std::filesystem::path& file);

/// Rows by table as they stand in such a script. Throws Error{backup} for a script that does not end as it was written.
std::map<std::string, std::int64_t> count_rows(const std::filesystem::path& file);

}  // namespace taskctl::postgres
