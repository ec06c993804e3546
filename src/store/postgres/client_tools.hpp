#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/stop.hpp"
#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/postgres/conninfo.hpp"

namespace taskctl::postgres {

/// Runs pg_dump, pg_restore and psql against the server that a connection reached: without a shell, and with the
/// password in the environment instead of on a command line. Every failure is Error{backup}. One that has neither read
/// nor written a byte for 15 s is ended when the server, asked over a connection of its own, does not work for it or
/// does not answer.
class ClientTools {
 public:
  /// `server`: which of a list of hosts.
  ClientTools(const Location& location, const OpenOptions& options, const ServerInfo& server, const StopSource* stop);

  /// Major version of an installed program; 0 when it is not there.
  [[nodiscard]] int major_version(const std::string& program) const;
  /// Throws when the program is missing or older than the server (pg_dump refuses such a server half-way).
  /// `otherwise`: what helps besides installing it.
  void require_version(const std::string& program, int server_major,
                       const std::string& otherwise = "use --backup rows before a repair") const;

  /// Options for `-d`: database `name` instead of the location's when given.
  [[nodiscard]] std::string target(const std::string& name = {}) const;

  void run(const std::vector<std::string>& arguments) const;

 private:
  [[nodiscard]] bool is_server_at_work() const;

  ConnInfo m_info;
  std::string m_own_session;  ///< the same for a connection of ours, with the password
  std::vector<std::string> m_environment;
  const StopSource* m_stop;
};

/// Table of contents of an archive, by pg_restore; no server needed. Error{backup}.
[[nodiscard]] std::string archive_contents(const std::filesystem::path& archive, const StopSource* stop);

/// The package that has the tools for a server of this version.
[[nodiscard]] std::string client_package(int server_major);

/// The same place, but this one host and another database of it.
[[nodiscard]] Location other_database(const Location& location, const ServerInfo& server, const std::string& name);

}  // namespace taskctl::postgres
