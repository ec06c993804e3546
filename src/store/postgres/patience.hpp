#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace taskctl::postgres {

/// How long a wait for a server's next byte may last. A proxy that keeps the TCP connection alive and never answers
/// looks like a slow server for ever: libpq itself waits without a bound.
struct Patience {
  std::chrono::milliseconds limit{};  ///< of silence; 0: while `is_at_work` says so
  std::function<bool()> is_at_work;   ///< asked now and then; none: never at work
  /// Then a short time for the answer is all that is left, and none for a connection that is being made. None: never.
  std::function<bool()> interrupted;
  std::string gave_up;  ///< set when the connection was given up: why
};

/// While it lives, this thread's calls of libpq wait as its Patience says; without one, for a minute at most.
class PatienceScope {
 public:
  explicit PatienceScope(Patience& patience);
  ~PatienceScope();
  PatienceScope(const PatienceScope&) = delete;
  PatienceScope& operator=(const PatienceScope&) = delete;

 private:
  Patience* m_before;
};

}  // namespace taskctl::postgres
