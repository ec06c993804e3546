#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/stop.hpp"
#include "cli/alive_from.hpp"
#include "cli/config.hpp"
#include "cli/options.hpp"
#include "store/catalog.hpp"
#include "store/journal.hpp"
#include "store/open_store.hpp"
#include "store/schema_version.hpp"
#include "store/task_store.hpp"
#include "view/streams.hpp"

namespace taskctl {

/// An opened target: connection, profile, schema. Members are declared so that the connection outlives the stores.
struct Session {
  Location location;
  ResolvedConfig config;
  std::unique_ptr<Connection> connection;
  Profile profile;
  Schema schema;
  SchemaVersion version;                 ///< what the profile's [version] says of it
  std::unique_ptr<Sightings> sightings;  ///< of profiles that count from when a task was first seen; else nullptr
  std::unique_ptr<TaskStore> store;
  std::unique_ptr<Journal> journal;
  std::shared_ptr<AliveFrom> alive;       ///< --alive-from; nullptr without it
  Policy policy;                          ///< profile, then target, then command line
  std::optional<Instant> now;             ///< --now
  OpenOptions open_options;               ///< how `connection` was opened
  std::shared_ptr<void> interrupt_guard;  ///< declared last: a second signal no longer reaches a connection that closes
  [[nodiscard]] std::string target_name() const;  ///< the target's name, or the redacted location
  /// Closes connection, stores and journal; what was read (profile, schema, location) stays.
  void close();
};

/// What a command gets. It never reads the environment, the clock or the arguments itself.
class Context {
 public:
  Context(const Drivers& drivers, Streams& streams, StopSource& stop, std::vector<std::string> arguments,
          std::string command);

  [[nodiscard]] Streams& streams() { return m_streams; }
  [[nodiscard]] StopSource& stop() { return m_stop; }
  [[nodiscard]] const Clock& clock() const { return system_clock(); }
  /// Since the command line was read.
  [[nodiscard]] Duration running_for() const;
  [[nodiscard]] const Drivers& drivers() const { return m_drivers; }
  [[nodiscard]] const std::string& command() const { return m_command; }
  /// argv, redacted and shell-quoted, for the journal.
  [[nodiscard]] std::string argument_text() const;
  /// The same with one option given (again) as `value`: what to type next.
  [[nodiscard]] std::string argument_text_with(const std::string& option, const std::string& value) const;

  /// Why the command's exit code will not be 0, for `history attempts`: where no error says so.
  void note_why(std::string why) { m_why = std::move(why); }
  [[nodiscard]] const std::string& why() const { return m_why; }

  /// Opens the target: configuration resolved, profile chosen (said on stderr when it was chosen automatically), schema
  /// read and checked, RLS checked. `access` is what the connection can do; `command_writes` is what the command is for
  /// (a dry run of a writing command opens for reading but may not use DATABASE_URL).
  std::unique_ptr<Session> open(const TargetOptions& options, const AgeOptions* age, Access access,
                                bool command_writes);
  /// Like open() for reading, but a profile that does not fit is no error (for `profile check`);
  /// schema, store and journal stay empty.
  std::unique_ptr<Session> open_unchecked(const TargetOptions& options);
  /// Reading without any profile: location and connection only.
  std::unique_ptr<Session> open_database(const TargetOptions& options);
  /// A second connection to the same target that can write. Throws Error{refused} on a standby or a read-only server,
  /// Error{stale} when it is another database, or its tables are others, than the first session saw.
  /// Closes `session`'s own connection first: SQLite shares the index of a -wal file among the connections of a
  /// process, and one that was opened for reading only would keep the new one from writing.
  std::unique_ptr<Session> reopen_for_writing(Session& session, const ChangeOptions& options);
  /// Location and configuration only; nothing is opened.
  std::pair<Location, ResolvedConfig> locate(const TargetOptions& options, bool command_writes) const;
  [[nodiscard]] OpenOptions open_options(const TargetOptions& options, const ResolvedConfig& config) const;

 private:
  struct Interrupter;
  void watch(Session& session);
  void read_tables(Session& session) const;
  void find_sightings(Session& session) const;
  [[nodiscard]] std::unique_ptr<Session> locate_session(const TargetOptions& options, bool command_writes) const;
  void ask_who_is_alive(Session& session, const std::string& source);
  void connect(Session& session, const TargetOptions& options, Access access);
  std::unique_ptr<Session> connect_with_profile(const TargetOptions& options, Access access, bool command_writes);

  const Drivers& m_drivers;
  Streams& m_streams;
  StopSource& m_stop;
  std::vector<std::string> m_arguments;
  std::string m_command;
  std::string m_why;
  std::chrono::steady_clock::time_point m_began = clock().steady();
  std::shared_ptr<Interrupter> m_interrupter;  ///< what the second signal stops: every open connection
};

/// Banner before every write: target, host, database, user, server version.
[[nodiscard]] std::string banner(const Session& session);

/// An earlier --now on a protected target is refused: Error{refused}. Asks the database for its clock.
void refuse_detection_time(const Session& session);

}  // namespace taskctl
