#pragma once

#include <stdexcept>
#include <string>

#include "base/exit_code.hpp"

namespace taskctl {

/// The only exception type that crosses layers. `code` is what the process would end with.
/// Message: lower case, no full stop, names the option, column, path or id in quotes.
/// Hint: the next step, a whole sentence; empty when there is none.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error{message}, m_code{code}, m_hint{std::move(hint)} {}

  [[nodiscard]] ExitCode code() const noexcept { return m_code; }
  [[nodiscard]] std::string message() const { return what(); }
  [[nodiscard]] const std::string& hint() const noexcept { return m_hint; }

 private:
  ExitCode m_code;
  std::string m_hint;
};

/// Another session holds a lock on what we need (SQLITE_BUSY, 55P03, deadlock, serialization
/// failure). The transaction that threw is over; the whole transaction may be tried again.
class BusyError : public Error {
 public:
  explicit BusyError(const std::string& message, std::string hint = {})
      : Error{ExitCode::locked, message, std::move(hint)} {}
};

/// The database refused one statement because of its data (unique index, CHECK, foreign key,
/// trigger). Rolling back to the savepoint before the statement leaves the transaction usable.
class ConstraintError : public Error {
 public:
  explicit ConstraintError(const std::string& message) : Error{ExitCode::failed, message} {}
};

/// The session with the server is gone, and what it had not committed with it. A new one may go on (Reconnectable).
class ConnectionLostError : public Error {
 public:
  explicit ConnectionLostError(const std::string& message, std::string hint = {})
      : Error{ExitCode::unavailable, message, std::move(hint)} {}
};

/// The connection was lost while COMMIT was under way: nobody knows yet whether it happened.
class InDoubtError : public Error {
 public:
  explicit InDoubtError(const std::string& message, std::string hint = {})
      : Error{ExitCode::in_doubt, message, std::move(hint)} {}
};

/// A running statement was stopped by Connection::interrupt() (second signal).
class InterruptedError : public Error {
 public:
  explicit InterruptedError(const std::string& message) : Error{ExitCode::stopped, message} {}
};

}  // namespace taskctl
