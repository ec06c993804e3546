#include "store/postgres/connection.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pqxx/pqxx>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/postgres/client_tools.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/errors.hpp"
#include "store/postgres/lock_report.hpp"
#include "store/postgres/pooler.hpp"
#include "store/postgres/row_text.hpp"
#include "store/postgres/session.hpp"
#include "store/postgres/session_settings.hpp"
#include "store/postgres/statement_kind.hpp"

namespace taskctl::postgres {
namespace {

constexpr int k_oldest_version = 130000;
/// Texts that are counted for preparing. Statements differ by batch size and profile; the first hundreds are the hot
/// ones.
constexpr std::size_t k_remembered_statements = 256;
constexpr std::int64_t k_write_statement_ms = 5000;
constexpr std::int64_t k_idle_write_ms = 10'000;
constexpr std::chrono::milliseconds k_late{3'000};  ///< a server's timeout that is this late does not come any more
constexpr const char* k_no_identifier = "no-system-identifier";

/// The transaction's number, and whether others write: one with a higher number has ended (anywhere on the server, or a
/// part of our own: a savepoint, a trigger that catches an exception), and somebody is at work in this database. What
/// other roles do is seen by pg_read_all_stats only; without it every session counts.
constexpr const char* k_before_commit =
    "SELECT pg_current_xact_id_if_assigned()::text,"
    " CASE WHEN pg_snapshot_xmax(pg_current_snapshot()) > pg_current_xact_id_if_assigned() THEN EXISTS ("
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type <> 'autovacuum worker' AND application_name NOT LIKE 'taskctl %'"
    " AND (state IS DISTINCT FROM 'idle' OR state_change > clock_timestamp() - interval '1 second')) END";

std::string connection_string(const Location& location, const OpenOptions& options, Access access) {
  ConnInfo info = session_options(location, options);
  if (access == Access::write) {
    prefer_writable_host(info);
  }
  return info.text();
}

std::string without_nul(const std::string& text) {
  if (text.find('\0') != std::string::npos) {
    throw Error{ExitCode::usage,
                "a text with a NUL character cannot be stored in PostgreSQL: '" + printable(text) + "'"};
  }
  return text;
}

struct ToParameter {
  std::optional<std::string> operator()(const Null&) const { return std::nullopt; }
  std::optional<std::string> operator()(std::int64_t value) const { return std::to_string(value); }
  std::optional<std::string> operator()(double value) const { return fmt::format("{}", value); }
  std::optional<std::string> operator()(const std::string& value) const { return without_nul(value); }
  std::optional<std::string> operator()(const Blob& value) const { return "\\x" + to_hex(value.bytes); }
};

Parameters to_parameters(std::span<const Value> values) {
  Parameters result;
  result.reserve(values.size());
  for (const Value& value : values) {
    result.push_back(std::visit(ToParameter{}, value));
  }
  return result;
}

void send_rows(const pqxx::result& result, const RowSink& sink) {
  Row row(result.columns());
  for (const pqxx::row& source : result) {
    for (pqxx::row_size_type i = 0; i < source.size(); ++i) {
      const pqxx::field field = source[i];
      if (field.is_null()) {
        row[i] = Null{};
      } else {
        row[i] = std::string{field.c_str(), field.size()};
      }
    }
    sink(row);
  }
}

/// "15.20 (Debian 15.20-0+deb12u1)" → "15.20"
std::string first_word(const std::string& text) {
  return text.substr(0, text.find(' '));
}

}  // namespace

PostgresConnection::PostgresConnection(const Location& location, Access access, const OpenOptions& options)
    : m_location{location},
      m_options{options},
      m_connection_string{connection_string(location, options, access)},
      m_where{location.display},
      m_access{access},
      m_write_timeout_ms{options.statement_timeout > Duration{} ? milliseconds(options.statement_timeout)
                                                                : k_write_statement_ms},
      m_settings{access, options} {
  m_patience.interrupted = [this] { return m_interrupted.load(); };
  m_patience.is_at_work = [this] { return is_at_work(); };
  connect();
}

PostgresConnection::~PostgresConnection() {
  rollback();
}

void PostgresConnection::connect() {
  std::unique_ptr<Session> session;
  Patience patience{.limit = k_longest_question,
                    .is_at_work = {},
                    .interrupted = [this] { return gives_up_connecting(); },
                    .gave_up = {}};
  try {
    const PatienceScope scope{patience};
    session = std::make_unique<Session>(m_connection_string);
  } catch (const std::exception&) {
    rethrow_connect_failure(m_where);
  }
  {
    const std::scoped_lock lock{m_session_mutex};
    m_session = std::move(session);
  }
  m_patience.limit = std::chrono::ceil<std::chrono::milliseconds>(m_options.connect_timeout);
  pin_settings();
  read_server_info();
  if (m_pooled && m_access == Access::write) {
    refuse_transaction_pooling(*m_session, m_process.pid, m_connection_string, m_where);
  }
  set_patience();
}

/// At the first signal while there is nothing to finish, else as everything that is under way: at the second.
bool PostgresConnection::gives_up_connecting() const {
  const bool first = m_server.identity.empty();
  return m_interrupted.load() || (first && m_options.stop != nullptr && m_options.stop->requested());
}

void PostgresConnection::set_patience() {
  const std::int64_t timeout = m_in_transaction && m_transaction_access == Access::write
                                   ? m_write_timeout_ms
                                   : milliseconds(m_options.statement_timeout);
  m_patience.limit = timeout == 0 ? std::chrono::milliseconds{0} : std::chrono::milliseconds{timeout} + k_late;
}

/// Is our server process still on the statement that we wait for? One that is idle, or that waits for us to read, has
/// answered: the answer is lost.
bool PostgresConnection::is_at_work() {
  return server_finds(session_options(other_database(m_location, m_server, m_server.database), m_options).text(),
                      std::string{"SELECT 1 FROM pg_stat_activity WHERE pid = $1::text::int"
                                  " AND backend_start::text = $2::text AND "} +
                          k_session_is_at_work,
                      {m_process.pid, m_process.started}, m_patience.interrupted);
}

void PostgresConnection::pin_settings() {
  // A database without an encoding holds bytes of any; the server would check them against ours.
  command(
      "SELECT set_config('client_encoding', CASE current_setting('server_encoding') WHEN 'SQL_ASCII' "
      "THEN 'SQL_ASCII' ELSE 'UTF8' END, false)");
  command(m_settings.statements());
}

void PostgresConnection::read_server_info() {
  const Statements& statements = Dialect{Engine::postgres}.statements();
  std::string database_oid;
  bool identifier_allowed = false;
  run(statements.server_info, {}, [&](const Row& row) {
    m_server.version_number = std::stoi(text_or_empty(row[0]));
    m_server.version = "PostgreSQL " + first_word(text_or_empty(row[1]));
    m_server.database = text_or_empty(row[2]);
    m_server.user = text_or_empty(row[3]);
    m_server.standby = text_or_empty(row[4]) == "true";
    m_server.read_only = m_server.standby || text_or_empty(row[5]) == "on";
    database_oid = text_or_empty(row[6]);
    identifier_allowed = text_or_empty(row[7]) == "true";
    m_process = {.pid = text_or_empty(row[8]), .started = text_or_empty(row[9])};
    check_settings(text_or_empty(row[10]));
  });
  // A pool gives every client a process number of its own, to know whom it cancels. What is prepared may be of the
  // client before, or on another server process, the next time.
  m_pooled = std::to_string(m_session->connection.backendpid()) != m_process.pid;
  if (m_server.version_number < k_oldest_version) {
    throw Error{ExitCode::mismatch,
                "'" + m_where + "' is " + m_server.version + ", but taskctl needs PostgreSQL 13 or newer"};
  }
  const char* host = m_session->connection.hostname();
  const char* port = m_session->connection.port();
  m_server.host = host == nullptr ? "" : host;
  m_server.port = port == nullptr ? "" : port;
  // Without the right to read the control file, host, port and oid have to do.
  std::string system = k_no_identifier;
  if (identifier_allowed) {
    run("SELECT system_identifier::text FROM pg_catalog.pg_control_system()", {},
        [&](const Row& row) { system = text_or_empty(row[0]); });
  }
  m_server.identity = identity_of(system, database_oid);
  m_server.database_identity =
      system == k_no_identifier ? m_server.identity : fmt::format("postgres:{}/{}", system, database_oid);
}

/// After a failover another host of the same connection string answers: where there are several, they are named
/// together. Only the system identifier shows that such hosts hold the same database.
std::string PostgresConnection::identity_of(const std::string& system, const std::string& database_oid) const {
  const std::string hosts = system == k_no_identifier ? std::string{} : several_hosts(m_session->connection.handle());
  return fmt::format("postgres:{}/{}@{}", system, database_oid,
                     hosts.empty() ? m_server.host + ":" + m_server.port : hosts);
}

void PostgresConnection::check_settings(const std::string& settings) const {
  if (const std::string name = m_settings.first_difference(settings); !name.empty()) {
    throw Error{ExitCode::unavailable, fmt::format("'{}' does not keep the settings of a session ({})", m_where, name),
                "Connect to PostgreSQL directly, or through a pooler in session mode."};
  }
}

void PostgresConnection::lose_session() {
  const std::scoped_lock lock{m_session_mutex};
  m_session.reset();
}

void PostgresConnection::reconnect() {
  const ServerInfo before = m_server;
  const ServerProcess lost = m_process;
  m_in_transaction = m_transaction_failed = false;
  lose_session();
  try {
    connect();
  } catch (const Error& error) {
    lose_session();
    if (error.code() == ExitCode::unavailable) {
      throw ConnectionLostError{error.message(), error.hint()};
    }
    throw;
  }
  if (m_server.identity != before.identity || m_server.user != before.user) {
    const std::string now = std::exchange(m_server, before).identity;
    lose_session();
    throw Error{ExitCode::stale, fmt::format("'{}' is another database since the connection was lost: '{}', not '{}'",
                                             m_where, now, before.identity)};
  }
  if (m_access == Access::write && m_server.read_only) {
    lose_session();
    throw ConnectionLostError{"'" + m_where + "' only reads since the connection was lost" +
                              (m_server.standby ? ": a standby answers" : "")};
  }
  end_process(*this, lost);
}

CommitState PostgresConnection::last_commit() {
  if (m_transaction_id.empty()) {
    return CommitState::unknown;
  }
  std::string state;
  try {
    run("SELECT pg_xact_status($1::text::xid8)", std::vector<Value>{m_transaction_id},
        [&](const Row& row) { state = text_or_empty(row[0]); });
  } catch (const ConnectionLostError&) {
    throw;
  } catch (const Error&) {
    return CommitState::unknown;  // a server that took over has not counted so far yet
  }
  return state == "committed"     ? CommitState::committed
         : state == "aborted"     ? CommitState::rolled_back
         : state == "in progress" ? CommitState::running
                                  : CommitState::unknown;
}

bool PostgresConnection::take_interrupt() {
  return m_access == Access::write ? m_interrupted.exchange(false) : m_interrupted.load();
}

void PostgresConnection::require_usable() {
  if (!m_session || !m_session->connection.is_open()) {
    throw ConnectionLostError{"the connection to '" + m_where + "' was lost"};
  }
  if (take_interrupt()) {
    m_transaction_failed = m_in_transaction;
    throw InterruptedError{"the transaction was interrupted"};
  }
}

void PostgresConnection::fail(std::string_view sql, bool committing) {
  FailureContext context;
  context.where = m_where;
  context.lost = !m_session->connection.is_open();
  context.interrupted = take_interrupt();
  context.committing = committing;
  context.gave_up = m_patience.gave_up;
  context.last_words = last_words(m_session->connection);
  m_transaction_failed = m_in_transaction;
  try {
    rethrow_as_error(context);
  } catch (const LockTimeoutError& error) {
    throw_lock_timeout(m_location, m_options, m_server,
                       {.access = m_access, .sql = std::string{sql}, .context = error.context()}, error.message());
  } catch (const ConstraintError& error) {
    if (m_access == Access::write) {
      throw;
    }
    // Nothing is written here: a value and the SQL that reads it do not go together.
    throw Error{ExitCode::mismatch, error.message(),
                "A column is of another type, or holds another text, than the SQL of the profile expects: see 'taskctl "
                "profile check'."};
  }
}

void PostgresConnection::command(const std::string& text) {
  require_usable();
  const PatienceScope scope{m_patience};
  try {
    m_session->work.exec(text);
  } catch (const std::exception&) {
    fail(text);
  }
}

pqxx::result PostgresConnection::execute(std::string_view sql, std::span<const Value> parameters) {
  require_usable();
  const PatienceScope scope{m_patience};
  const auto values = to_parameters(parameters);
  const auto dynamic = pqxx::prepare::make_dynamic_params(values);
  std::string text{sql};
  try {
    auto& statements = m_session->statements;
    auto found = statements.find(text);
    if (found == statements.end()) {
      if (!m_pooled && statements.size() < k_remembered_statements) {
        statements.try_emplace(text);
      }
      return m_session->work.exec_params(text, dynamic);
    }
    if (found->second.empty()) {
      const std::string name = fmt::format("taskctl_{}", ++m_session->prepared);
      m_session->connection.prepare(name, text);
      found->second = name;
    }
    return m_session->work.exec_prepared(found->second, dynamic);
  } catch (const std::exception&) {
    fail(sql);
  }
}

std::int64_t PostgresConnection::run(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) {
  const pqxx::result result = execute(sql, parameters);
  const bool has_rows = result.columns() > 0;
  const std::int64_t changed = has_rows && !changes_rows(sql) ? 0 : static_cast<std::int64_t>(result.affected_rows());
  if (sink && has_rows) {
    send_rows(result, sink);
  }
  return changed;
}

void PostgresConnection::stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) {
  if (!m_in_transaction) {
    throw Error{ExitCode::bug, "a result is streamed within a transaction only"};
  }
  require_usable();
  const PatienceScope scope{m_patience};
  const Parameters values = to_parameters(parameters);
  std::exception_ptr from_sink;
  try {
    stream_rows(m_session->connection, std::string{sql}, values, [&](const Row& row) {
      try {
        sink(row);
      } catch (...) {
        from_sink = std::current_exception();
        throw;
      }
    });
  } catch (...) {
    if (from_sink) {
      m_transaction_failed = true;
      std::rethrow_exception(from_sink);
    }
    fail(sql);
  }
}

void PostgresConnection::begin(Access access) {
  if (m_in_transaction) {
    throw Error{ExitCode::bug, "a transaction is open already"};
  }
  if (m_access == Access::write) {
    m_interrupted = false;  // an interrupt that came too late for the last transaction
  }
  if (access == Access::read) {
    command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  } else if (m_access == Access::read) {
    throw Error{ExitCode::refused, "this connection to '" + m_where + "' only reads"};
  } else if (m_server.read_only) {
    throw Error{ExitCode::refused, "'" + m_where + "' only reads" + (m_server.standby ? ": it is a standby" : ""),
                "Connect to the primary server, or ask its administrator why default_transaction_read_only is on."};
  } else {
    command(
        fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = {};"
                    " SET LOCAL idle_in_transaction_session_timeout = {}",
                    m_write_timeout_ms, k_idle_write_ms));
  }
  m_in_transaction = true;
  m_transaction_access = access;
  m_transaction_failed = false;
  m_rolled_back_a_part = false;
  set_patience();
}

void PostgresConnection::commit() {
  if (!m_in_transaction || m_transaction_failed) {
    // The server would answer COMMIT of a failed transaction with a ROLLBACK, and without an error.
    rollback();
    throw Error{ExitCode::bug, "commit without an open, intact transaction"};
  }
  if (m_transaction_access == Access::write) {
    try {
      run(k_before_commit, {}, [this](const Row& row) {
        m_transaction_id = text_or_empty(row[0]);
        m_others_write = !m_rolled_back_a_part && text_or_empty(row[1]) == "t";
      });
    } catch (const ConnectionLostError&) {
      m_in_transaction = false;  // COMMIT was not sent: nothing is in doubt
      throw;
    }
  }
  require_usable();
  const PatienceScope scope{m_patience};
  try {
    m_session->work.exec("COMMIT");
  } catch (const std::exception&) {
    // A refused COMMIT (a deferred constraint) has rolled back. The end of a reading is never in doubt.
    m_in_transaction = false;
    fail("COMMIT", m_transaction_access == Access::write);
  }
  m_in_transaction = false;
  set_patience();
}

void PostgresConnection::rollback() noexcept {
  if (!m_in_transaction) {
    return;
  }
  m_in_transaction = false;
  take_interrupt();
  const PatienceScope scope{m_patience};
  // A cancel request that was on its way may hit the first ROLLBACK.
  for (int attempt = 0; attempt < 2 && m_session && m_session->connection.is_open(); ++attempt) {
    try {
      m_session->work.exec("ROLLBACK");
      break;
    } catch (const std::exception&) {
      continue;
    }
  }
  set_patience();
}

void PostgresConnection::savepoint() {
  command("SAVEPOINT taskctl");
}

void PostgresConnection::rollback_to_savepoint() {
  command("ROLLBACK TO SAVEPOINT taskctl; RELEASE SAVEPOINT taskctl");
  m_transaction_failed = false;
  m_rolled_back_a_part = true;
}

void PostgresConnection::release_savepoint() {
  command("RELEASE SAVEPOINT taskctl");
}

Instant PostgresConnection::now() {
  Instant result{};
  run("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text", {},
      [&](const Row& row) { result = Instant{Duration{std::stoll(text_or_empty(row[0]))}}; });
  return result;
}

void PostgresConnection::interrupt() noexcept {
  m_interrupted = true;  // stops the transaction at its next statement, whatever becomes of the request
  const CancelRequest request = [this] {
    const std::scoped_lock lock{m_session_mutex};
    return CancelRequest{m_session ? m_session->connection.handle() : nullptr};
  }();
  request.send();
}

}  // namespace taskctl::postgres
