#include "store/sqlite/sqlite_error.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"

namespace taskctl {

namespace {

constexpr int k_primary_mask = 0xff;

[[noreturn]] void throw_read_only(int code, const std::string& file) {
  switch (code) {
    case SQLITE_READONLY_ROLLBACK:
    case SQLITE_READONLY_RECOVERY:
    case SQLITE_READONLY_CANTINIT:
      throw_left_by_crash(file);
    case SQLITE_READONLY_DBMOVED:
      throw Error{ExitCode::unavailable, fmt::format("'{}' was moved or replaced while it was open", file)};
    default:
      throw Error{ExitCode::refused, fmt::format("'{}' is opened for reading only", file)};
  }
}

}  // namespace

void throw_left_by_crash(const std::string& file) {
  throw Error{
      ExitCode::mismatch, fmt::format("'{}' has an unfinished transaction, left by a crash", file),
      "Start the application or open the database once as its owner; that completes or undoes the transaction."};
}

bool is_opening_race(int code) {
  return code == SQLITE_CANTOPEN || code == SQLITE_READONLY_CANTINIT || code == SQLITE_READONLY_RECOVERY;
}

void throw_sqlite_error(int code, std::string_view message, const std::string& file) {
  switch (code & k_primary_mask) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      throw BusyError{fmt::format("'{}' is locked by another process", file),
                      "Try again when its transaction is over; 'fuser' or 'lsof' names the process."};
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      throw ConstraintError{std::string{message}};
    case SQLITE_INTERRUPT:
      throw InterruptedError{"the statement was interrupted"};
    case SQLITE_CORRUPT:
      throw Error{ExitCode::mismatch, fmt::format("'{}' is damaged: {}", file, message),
                  "Restore it from a backup; 'sqlite3 FILE .recover' salvages what can still be read."};
    case SQLITE_NOTADB:
      throw Error{ExitCode::mismatch, fmt::format("'{}' is not a SQLite database, or it is encrypted", file)};
    case SQLITE_READONLY:
      throw_read_only(code, file);
    case SQLITE_FULL:
      throw Error{ExitCode::failed, fmt::format("no space left on the disk of '{}'", file),
                  "Make room there and run the command again; what was committed before is durable."};
    case SQLITE_IOERR:
      throw Error{ExitCode::failed, fmt::format("reading or writing '{}' failed: {} ({})", file, message, code)};
    case SQLITE_CANTOPEN:
      throw Error{ExitCode::unavailable, fmt::format("cannot open '{}' or a file beside it", file)};
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw Error{ExitCode::access, fmt::format("no permission to use '{}': {}", file, message)};
    case SQLITE_ERROR:  // the text of a statement: what it names is not there, or a profile's SQL is wrong
      throw Error{ExitCode::mismatch, fmt::format("SQLite refused a statement: {}", message)};
    default:
      throw Error{ExitCode::failed, fmt::format("SQLite refused a statement: {}", message)};
  }
}

}  // namespace taskctl
