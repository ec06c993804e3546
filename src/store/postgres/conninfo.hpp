#pragma once

#include <map>
#include <string>

#include "store/location.hpp"

struct pg_conn;

namespace taskctl::postgres {

/// libpq's connection options, taken apart by libpq itself, so that an option can be added to a URL or a
/// keyword string without gluing texts. Holds only what the text names; the environment is left to libpq.
class ConnInfo {
 public:
  /// Throws Error{usage}; its message quotes nothing of the text, which may hold a password.
  static ConnInfo parse(const std::string& text);

  [[nodiscard]] const std::string* find(const std::string& key) const;
  void set(const std::string& key, const std::string& value) { m_options[key] = value; }
  void set_default(const std::string& key, const std::string& value) { m_options.try_emplace(key, value); }
  void erase(const std::string& key) { m_options.erase(key); }

  /// As a keyword string with every value quoted.
  [[nodiscard]] std::string text() const;

 private:
  std::map<std::string, std::string> m_options;
};

/// What this process connects with: location plus password, bounded connect_timeout, application_name and keepalives.
/// Options that the text names win, but for an unlimited connect_timeout and for the password of `options`.
ConnInfo session_options(const Location& location, const OpenOptions& options);

/// Of several hosts a session that writes takes one that can be written, unless the text asks for another.
void prefer_writable_host(ConnInfo& info);

/// The hosts and ports that a session was given to choose from, "db1:5432,db2:5432"; empty when there was only one.
std::string several_hosts(pg_conn* connection);

/// "taskctl reconcile user@host pid N", cut to the 63 bytes that PostgreSQL keeps: who holds a lock is read from it.
std::string application_name(const std::string& command);
/// " pid N": how the application_name of every session of this process ends.
std::string application_name_end();

}  // namespace taskctl::postgres
