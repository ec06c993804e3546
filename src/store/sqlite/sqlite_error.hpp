#pragma once

#include <string>
#include <string_view>

namespace taskctl {

/// The one place where SQLite's result codes become ours. `code` is the extended code, `message` SQLite's text,
/// `file` the database for the error text.
[[noreturn]] void throw_sqlite_error(int code, std::string_view message, const std::string& file);

/// The file needs a writer's hand before it can be read: hot journal, or a -wal without its -shm.
[[noreturn]] void throw_left_by_crash(const std::string& file);

/// Codes of a reader that looked while the application was creating or removing its -wal and -shm, or that changed
/// the journal mode: looking again gives an answer.
[[nodiscard]] bool is_opening_race(int code);

}  // namespace taskctl
