#pragma once

#include <map>
#include <string>

#include "store/connection.hpp"
#include "store/location.hpp"

namespace taskctl::postgres {

/// What every session is set to, so that texts mean the same in every run and no wait is endless. Set when a session
/// begins, also one that takes the place of a lost one, and read back: a pooler in transaction mode may drop SET.
class SessionSettings {
 public:
  SessionSettings(Access access, const OpenOptions& options);

  /// One text of several SET.
  [[nodiscard]] std::string statements() const;
  /// The name of one that is not so in `read` ("NAME=VALUE" with a line feed after each); empty: all are.
  [[nodiscard]] std::string first_difference(const std::string& read) const;

 private:
  Access m_access;
  std::map<std::string, std::string> m_values;  ///< by name, in the server's own spelling
};

/// In the server's unit.
[[nodiscard]] std::int64_t milliseconds(Duration duration);

}  // namespace taskctl::postgres
