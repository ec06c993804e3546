#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/stop.hpp"
#include "base/time.hpp"
#include "store/backup.hpp"
#include "store/sqlite/connection.hpp"

namespace taskctl {

/// Throws Error{backup} when `folder` has less room than a file of `bytes` needs.
void require_space(const std::filesystem::path& folder, std::uint64_t bytes);

/// How long reading the whole source would keep its writers waiting: measured on a sample spread over the file.
[[nodiscard]] Duration estimate_stall(const std::filesystem::path& source, std::uint64_t bytes);

/// One consistent state of `source` into the empty file `target`, fsynced. Throws BusyError when the source changed or
/// stayed locked, Error{backup} otherwise.
void copy_database(SqliteConnection& source, const std::filesystem::path& target);

enum class CheckDepth {
  counts,  ///< the rows of every table
  quick,   ///< and quick_check: the structure of tables
  full,    ///< and integrity_check: indexes agree with their tables too
};

/// Rows by table of a database file that nobody else uses, after checking it. Throws Error{backup} with what was found,
/// InterruptedError when `stop` is requested.
std::map<std::string, std::int64_t> check_copy(const std::filesystem::path& file, CheckDepth depth,
                                               const StopSource* stop);

}  // namespace taskctl
