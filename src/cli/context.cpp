#include "cli/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "base/duration.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "cli/owned_file.hpp"
#include "engine/profile_choice.hpp"
#include "profile/profile_reader.hpp"
#include "store/location.hpp"

namespace taskctl {

namespace {

// How much --now may lie after the database's clock in a command that writes: clocks of two machines differ.
constexpr Duration k_clock_tolerance = std::chrono::seconds{5};

std::string read_password(const Setting<std::string>& setting) {
  const OwnedFile file = read_owned_file(setting.value);
  const std::string what = fmt::format("password file '{}'", setting.value);
  if (file.error != 0) {
    throw Error{ExitCode::usage, fmt::format("{} ({}): {}", what, setting.origin, std::strerror(file.error))};
  }
  if (file.readable_by_others() || !file.owned_by_caller()) {
    throw Error{ExitCode::refused, what + " is not private",
                fmt::format("Make it yours and unreadable for others: chmod 600 {}.", shell_quoted(setting.value))};
  }
  const std::string password = file.text.substr(0, file.text.find_first_of("\r\n"));
  if (password.empty() || password.find('\0') != std::string::npos) {
    throw Error{ExitCode::usage, what + " has no password in its first line"};
  }
  return password;
}

void require_known_hazards(const std::set<std::string>& accepted, const Profile& profile) {
  std::vector<std::string> known{k_builtin_hazards.begin(), k_builtin_hazards.end()};
  for (const Hazard& hazard : profile.hazards) {
    known.push_back(hazard.name);
  }
  for (const std::string& name : accepted) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw_unknown_choice("hazard", name, known);
    }
  }
}

Policy policy_of(const Profile& profile, const TargetConfig& target, const TargetOptions& options,
                 const AgeOptions* age) {
  Policy policy = profile.policy;
  policy.max_age = target.max_age.value.value_or(policy.max_age);
  if (target.reap.value) {
    policy.reap = target.reap.value;
  }
  policy.settle = target.settle.value.value_or(policy.settle);
  policy.cancel_grace = target.cancel_grace.value.value_or(policy.cancel_grace);
  if (age != nullptr && age->max_age) {
    policy.max_age = *age->max_age;
    policy.max_age_given = true;
  }
  policy.accepted_hazards.insert(options.accept_hazards.begin(), options.accept_hazards.end());
  return policy;
}

// Before anything is opened: ending tasks that began a moment ago is what --max-age of a few seconds would do.
void refuse_young(const AgeOptions* age, const TargetOptions& options) {
  const Duration youngest = Policy{}.young;
  const bool accepted =
      std::find(options.accept_hazards.begin(), options.accept_hazards.end(), "young") != options.accept_hazards.end();
  if (age != nullptr && age->max_age && *age->max_age < youngest && !accepted) {
    throw Error{ExitCode::refused,
                fmt::format("--max-age {} is less than {}: tasks that have just begun would be ended",
                            format_duration(*age->max_age), format_duration(youngest)),
                "Add --accept-hazard young when that is meant."};
  }
}

void check_detection_time(Session& session, Streams& streams) {
  if (!session.now) {
    return;
  }
  const Instant clock = session.connection->now();
  if (*session.now > clock + k_clock_tolerance) {
    throw Error{ExitCode::refused,
                fmt::format("--now {} is later than the database's clock, {}: running tasks would look old",
                            format_instant(*session.now), format_instant(clock)),
                "Only list-stuck and show may look into the future."};
  }
  if (*session.now < clock - k_clock_tolerance) {
    streams.warn(fmt::format("--now {} is {} before the database's clock; it is recorded with the run",
                             format_instant(*session.now), format_age(clock - *session.now)));
  }
}

}  // namespace

void refuse_detection_time(const Session& session) {
  if (session.now && session.config.target.is_protected.value &&
      *session.now < session.connection->now() - k_clock_tolerance) {
    throw Error{ExitCode::refused,
                fmt::format("--now is not allowed on '{}', which is protected", session.target_name()),
                "Leave --now out."};
  }
}

namespace {

// What only matters once something may be written.
void require_writable(const Session& session) {
  const ServerInfo& server = session.connection->server();
  if (server.standby) {
    throw Error{ExitCode::refused, fmt::format("'{}' is a standby: it cannot be written", session.target_name()),
                "Name the primary server."};
  }
  if (server.read_only) {
    throw Error{ExitCode::refused, fmt::format("'{}' is read-only", session.target_name()),
                session.location.engine == Engine::postgres
                    ? "default_transaction_read_only is on for this database, role or connection: connect in another "
                      "way, or ask its administrator why."
                    : "Nobody can write to it from here; name the database that the application writes to."};
  }
  refuse_detection_time(session);
}

}  // namespace

void Context::read_tables(Session& session) const {
  const bool rls_accepted = session.policy.accepted_hazards.contains("rls");
  session.schema = read_schema(*session.connection, session.profile);
  require_fit(session.profile, session.schema, session.location.engine);
  require_all_rows_visible(session.schema, rls_accepted);
  session.version = read_schema_version(*session.connection, session.profile, session.schema);
  session.store = std::make_unique<TaskStore>(*session.connection, session.profile, session.schema);
  find_sightings(session);
  if (session.sightings) {
    session.store->watch(*session.sightings);
  }
  const std::string& schema = session.config.target.journal_schema.value;
  session.journal = std::make_unique<Journal>(*session.connection, schema.empty() ? "taskctl" : schema);
}

/// What was noted on this machine. Without a home folder nothing was.
void Context::find_sightings(Session& session) const {
  if (!session.profile.times.counts_first_seen()) {
    return;
  }
  try {
    session.sightings = std::make_unique<Sightings>(
        sighting_place(state_folder(), session.connection->server(), session.profile, session.open_options.busy_wait),
        m_drivers.sightings);
  } catch (const Error& error) {
    m_streams.warn(fmt::format("when tasks were first seen is not known: {}", error.message()));
  }
}

/// The connections that are open now. Outlives the signal thread's use of it by being shared.
struct Context::Interrupter {
  std::mutex mutex;
  std::set<Connection*> connections;

  /// Reading is given up at the first signal: there is nothing to finish. A batch is, until the second.
  void interrupt(const StopSource& stop) {
    const std::scoped_lock lock{mutex};
    for (Connection* connection : connections) {
      if (connection->access() == Access::read || stop.urgent()) {
        connection->interrupt();
      }
    }
  }
};

std::string Session::target_name() const {
  return config.target.name.empty() ? location.display : config.target.name;
}

void Session::close() {
  store.reset();
  sightings.reset();
  journal.reset();
  interrupt_guard.reset();
  connection.reset();
}

Context::Context(const Drivers& drivers, Streams& streams, StopSource& stop, std::vector<std::string> arguments,
                 std::string command)
    : m_drivers{drivers},
      m_streams{streams},
      m_stop{stop},
      m_arguments{std::move(arguments)},
      m_command{std::move(command)},
      m_interrupter{std::make_shared<Interrupter>()} {}

Duration Context::running_for() const {
  return std::chrono::duration_cast<Duration>(clock().steady() - m_began);
}

std::string Context::argument_text() const {
  std::string text = "taskctl";
  for (const std::string& argument : m_arguments) {
    text += " " + shell_quoted(redact(argument));
  }
  return text;
}

std::string Context::argument_text_with(const std::string& option, const std::string& value) const {
  std::string text = "taskctl";
  for (std::size_t i = 0; i < m_arguments.size(); ++i) {
    if (m_arguments[i] == option) {
      ++i;  // its value
    } else if (!m_arguments[i].starts_with(option + "=")) {
      text += " " + shell_quoted(redact(m_arguments[i]));
    }
  }
  return text + " " + option + " " + shell_quoted(value);
}

namespace {

bool is_same_place(const Location& a, const Location& b) {
  if (a.engine != b.engine) {
    return false;
  }
  if (a.engine == Engine::postgres) {
    return a.text == b.text;
  }
  std::error_code problem;
  return std::filesystem::equivalent(a.text, b.text, problem);
}

/// A database that the configuration calls protected is protected under its path or URL too, not only under its name.
void protect_as_target(ResolvedConfig& config, const Location& location) {
  if (!config.target.name.empty()) {
    return;
  }
  for (const auto& [name, target] : config.targets) {
    if (target.is_protected.value && !target.db.value.empty() &&
        is_same_place(location, parse_location(target.db.value))) {
      config.target.name = name;
      config.target.is_protected = target.is_protected;
      if (!config.target.max_changes.given()) {
        config.target.max_changes = target.max_changes;
      }
    }
  }
}

}  // namespace

std::pair<Location, ResolvedConfig> Context::locate(const TargetOptions& options, bool command_writes) const {
  ResolvedConfig config = resolve_config(options, command_writes);
  const Setting<std::string>& db = config.target.db;
  if (db.value.empty() && !config.target.name.empty()) {
    throw Error{ExitCode::usage, fmt::format("target '{}' has no db", config.target.name),
                fmt::format("Write db = \"…\" under [target.{}].", config.target.name)};
  }
  if (db.value.empty()) {
    std::string hint = "Name it with --db PATH|URL or --target NAME, or set TASKCTL_DB.";
    if (command_writes && environment("DATABASE_URL")) {
      hint += " DATABASE_URL is used by commands that only read.";
    }
    if (!config.ignored.empty()) {
      hint += fmt::format(" Not read: {}.", join(config.ignored, "; "));
    }
    throw Error{ExitCode::usage, "no database is named", hint};
  }
  try {
    Location location = parse_location(db.value);
    protect_as_target(config, location);
    return {std::move(location), std::move(config)};
  } catch (const Error& error) {
    throw Error{error.code(), fmt::format("database ({}): {}", db.origin, error.message()), error.hint()};
  }
}

OpenOptions Context::open_options(const TargetOptions& options, const ResolvedConfig& config) const {
  OpenOptions open;
  open.application = "taskctl " + m_command;
  open.busy_wait = options.lock_timeout.value_or(open.busy_wait);
  open.stop = &m_stop;
  if (!config.target.password_file.value.empty()) {
    open.password = read_password(config.target.password_file);
  }
  return open;
}

void Context::watch(Session& session) {
  Connection* connection = session.connection.get();
  {
    const std::scoped_lock lock{m_interrupter->mutex};
    m_interrupter->connections.insert(connection);
  }
  const auto install = [&stop = m_stop, interrupter = m_interrupter] {
    stop.set_interrupter([&stop, interrupter] { interrupter->interrupt(stop); });
  };
  install();
  if (m_stop.requested()) {
    m_interrupter->interrupt(m_stop);  // it came while the connection was made
  }
  session.interrupt_guard = std::shared_ptr<void>{nullptr, [install, connection, interrupter = m_interrupter](void*) {
                                                    {
                                                      const std::scoped_lock lock{interrupter->mutex};
                                                      interrupter->connections.erase(connection);
                                                    }
                                                    // Whoever set another one meanwhile named this connection.
                                                    install();
                                                  }};
}

std::unique_ptr<Session> Context::locate_session(const TargetOptions& options, bool command_writes) const {
  auto session = std::make_unique<Session>();
  std::tie(session->location, session->config) = locate(options, command_writes);
  if (!options.now.empty()) {
    session->now = parse_instant(options.now, "--now");
  }
  return session;
}

void Context::connect(Session& session, const TargetOptions& options, Access access) {
  session.open_options = open_options(options, session.config);
  session.connection = m_drivers.of(session.location.engine).open(session.location, access, session.open_options);
  watch(session);
}

std::unique_ptr<Session> Context::connect_with_profile(const TargetOptions& options, Access access,
                                                       bool command_writes) {
  std::unique_ptr<Session> session = locate_session(options, command_writes);
  const std::string& wanted = session->config.target.profile.value;
  // Before anything is opened: a mistake in the profile is one of the command line.
  std::vector<Profile> variants = wanted.empty() ? std::vector<Profile>{} : find_profiles(wanted);
  connect(*session, options, access);
  if (wanted.empty()) {
    session->profile = choose_profile(*session->connection);
    m_streams.talk(
        fmt::format("profile: {} (chosen because its tables and columns are all there)", session->profile.title()));
  } else {
    session->profile = choose_variant(*session->connection, std::move(variants));
  }
  return session;
}

std::unique_ptr<Session> Context::open_database(const TargetOptions& options) {
  std::unique_ptr<Session> session = locate_session(options, false);
  connect(*session, options, Access::read);
  return session;
}

void Context::ask_who_is_alive(Session& session, const std::string& source) {
  if (source.empty()) {
    return;
  }
  session.alive = std::make_shared<AliveFrom>(source, clock(), &m_stop);
  session.alive->ask();
  session.policy.alive = session.alive->list();
  if (const std::string& problem = session.policy.alive->problem; !problem.empty()) {
    m_streams.warn(fmt::format("--alive-from '{}' does not tell who is alive ({}): unknown is not dead",
                               printable(source), problem));
  }
}

std::unique_ptr<Session> Context::open(const TargetOptions& options, const AgeOptions* age, Access access,
                                       bool command_writes) {
  if (command_writes) {
    refuse_young(age, options);
  }
  std::unique_ptr<Session> session = connect_with_profile(options, access, command_writes);
  session->policy = policy_of(session->profile, session->config.target, options, age);
  ask_who_is_alive(*session, options.alive_from);
  require_known_hazards(session->policy.accepted_hazards, session->profile);
  read_tables(*session);
  if (!session->version.known()) {
    m_streams.warn(fmt::format("profile '{}' does not know this version of the tables, so it only reads: {}",
                               session->profile.name, session->version.problem));
  }
  if (command_writes) {
    check_detection_time(*session, m_streams);
  }
  if (access == Access::write) {
    require_known_version(session->version, session->profile);
    require_writable(*session);
  }
  return session;
}

std::unique_ptr<Session> Context::open_unchecked(const TargetOptions& options) {
  std::unique_ptr<Session> session = connect_with_profile(options, Access::read, false);
  session->policy = policy_of(session->profile, session->config.target, options, nullptr);
  find_sightings(*session);
  return session;
}

std::unique_ptr<Session> Context::reopen_for_writing(Session& session, const ChangeOptions& options) {
  const std::string identity = session.connection->server().identity;
  session.close();
  auto writing = std::make_unique<Session>();
  writing->location = session.location;
  writing->config = session.config;
  writing->profile = session.profile;
  writing->policy = session.policy;
  writing->now = session.now;
  writing->open_options = session.open_options;
  // Whoever waits for another run waits as long for another writer.
  writing->open_options.busy_wait =
      std::max(session.open_options.busy_wait, options.lock_wait.value_or(Duration::zero()));
  writing->connection =
      m_drivers.of(session.location.engine).open(session.location, Access::write, writing->open_options);
  watch(*writing);
  if (writing->connection->server().identity != identity) {
    throw Error{ExitCode::stale,
                fmt::format("'{}' is another database now than when the plan was made", session.target_name()),
                "Run the command again."};
  }
  require_writable(*writing);
  read_tables(*writing);
  require_known_version(writing->version, writing->profile);
  if (writing->schema.fingerprint() != session.schema.fingerprint()) {
    throw Error{ExitCode::stale,
                fmt::format("the tables of '{}' were changed after the plan was made", session.target_name()),
                "Run the command again."};
  }
  return writing;
}

std::string banner(const Session& session) {
  const ServerInfo& server = session.connection->server();
  std::string text = "target " + session.target_name();
  const auto add = [&text](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      text += fmt::format(" · {}{}{}", name, name.empty() ? "" : " ", value);
    }
  };
  add("host", server.host.empty() || server.port.empty() ? server.host : server.host + ":" + server.port);
  add("database", server.database);
  add("user", server.user);
  add("", server.version);
  return printable(text);
}

}  // namespace taskctl
