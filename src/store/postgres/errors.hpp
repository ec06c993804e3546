#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace taskctl::postgres {

/// What the session knew when a statement failed; the exception alone does not tell.
struct FailureContext {
  std::string where;         ///< redacted location
  bool lost = false;         ///< the session is gone
  bool interrupted = false;  ///< interrupt() was called
  bool committing = false;   ///< COMMIT had been sent
  std::string last_words;    ///< of a lost session, as libpq keeps them
  std::string gave_up;       ///< why we ended the session ourselves; empty when we did not
};

/// A wait for a lock took too long. `context` is the server's: empty for a table lock, else it names the relation.
class LockTimeoutError : public BusyError {
 public:
  LockTimeoutError(const std::string& message, std::string context)
      : BusyError{message}, m_context{std::move(context)} {}
  [[nodiscard]] const std::string& context() const noexcept { return m_context; }

 private:
  std::string m_context;
};

/// Turns the exception being handled (libpqxx's or ours) into one of base/error.hpp. Call it in a catch block only.
[[noreturn]] void rethrow_as_error(const FailureContext& context);

/// The same for an attempt to connect: wrong password or role → access, everything else → unavailable.
[[noreturn]] void rethrow_connect_failure(const std::string& where);

/// A server's message without severity and statement excerpt, with its DETAIL in parentheses.
[[nodiscard]] std::string short_message(std::string_view message);

}  // namespace taskctl::postgres
