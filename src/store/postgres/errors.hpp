#pragma once

#include <string>
#include <string_view>

namespace taskctl::postgres {

/// What the session knew when a statement failed; the exception alone does not tell.
struct FailureContext {
  std::string where;         ///< redacted location
  bool lost = false;         ///< the session is gone
  bool interrupted = false;  ///< interrupt() was called
  bool committing = false;   ///< COMMIT had been sent
};

/// Turns the exception being handled (libpqxx's or ours) into one of base/error.hpp. Call it in a catch block only.
[[noreturn]] void rethrow_as_error(const FailureContext& context);

/// The same for an attempt to connect: wrong password or role → access, everything else → unavailable.
[[noreturn]] void rethrow_connect_failure(const std::string& where);

/// A server's message without severity and statement excerpt, with its DETAIL in parentheses.
[[nodiscard]] std::string short_message(std::string_view message);

}  // namespace taskctl::postgres
