#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <pqxx/pqxx>

#include "store/connection.hpp"

namespace taskctl::postgres {

/// Parameters as libpq takes them: text, or nullopt for NULL.
using Parameters = std::vector<std::optional<std::string>>;

/// connect_direct that lets its handle be seen: libpqxx 6.4 can only read a result as a whole or through a cursor, and
/// PostgreSQL never runs a cursor's query on several processes.
class VisiblePolicy final : public pqxx::connect_direct {
 public:
  using connect_direct::connect_direct;
  handle do_startconnect(handle orig) override { return m_handle = connect_direct::do_startconnect(orig); }
  handle do_dropconnect(handle orig) noexcept override { return m_handle = connect_direct::do_dropconnect(orig); }
  handle do_disconnect(handle orig) noexcept override { return m_handle = connect_direct::do_disconnect(orig); }
  [[nodiscard]] handle get() const { return m_handle; }

 private:
  handle m_handle = nullptr;
};

/// libpqxx's connection with the handle at hand, which it never opens a second time.
class PqxxConnection final : public pqxx::connection_base {
 public:
  explicit PqxxConnection(const std::string& options);
  ~PqxxConnection() noexcept { close(); }
  PqxxConnection(const PqxxConnection&) = delete;
  PqxxConnection& operator=(const PqxxConnection&) = delete;
  [[nodiscard]] VisiblePolicy::handle handle() const { return m_policy.get(); }

 private:
  VisiblePolicy m_policy;
};

/// What the server, or the network, said last: libpqxx drops why a session was ended.
std::string last_words(const PqxxConnection& connection);

/// The libpqxx objects in the order in which they must be destroyed, and what is prepared on the server.
struct Session {
  explicit Session(const std::string& options) : connection{options}, work{connection} {}

  PqxxConnection connection;
  /// BEGIN and COMMIT are sent by us, so that every error and the moment of COMMIT are known.
  pqxx::nontransaction work;
  /// Texts that were run, with their name on the server once they are prepared.
  std::unordered_map<std::string, std::string> statements;
  std::size_t prepared = 0;
};

/// Asks the server to stop what a session runs. Made while the session is held, sent without it. Throws nothing; waits
/// for a second at most, because libpq itself waits for the server's answer without a bound.
class CancelRequest {
 public:
  explicit CancelRequest(VisiblePolicy::handle connection) noexcept;
  void send() const noexcept;

 private:
  std::shared_ptr<void> m_request;
};

/// For one that is asked about another session.
inline constexpr std::chrono::milliseconds k_longest_question{5'000};

/// Of pg_stat_activity: a session with a statement to work on, whose result nobody refuses to take. A server that does
/// not track what its sessions do ('disabled') still says what they wait for.
inline constexpr const char* k_session_is_at_work =
    "wait_event IS DISTINCT FROM 'ClientWrite'"
    " AND (state = 'active' OR (state = 'disabled' AND wait_event IS DISTINCT FROM 'ClientRead'))";

/// Has this statement a row, asked over a connection of its own? False when nobody answers in time. True when the
/// server refuses one more session, or the question: then it answers, and nothing speaks against the session that was
/// asked about.
bool server_finds(const std::string& options, const std::string& sql, const Parameters& parameters,
                  const std::function<bool()>& interrupted);
/// Whether what libpq says of a failed connection are a server's words, in whatever language.
[[nodiscard]] bool is_servers_refusal(std::string_view message);

/// Sends one statement and hands every row to `sink` as it arrives. Throws libpqxx's exceptions. When `sink` throws,
/// the statement is cancelled, which fails the transaction it is in.
void stream_rows(PqxxConnection& connection, const std::string& sql, const Parameters& parameters, const RowSink& sink);

}  // namespace taskctl::postgres
