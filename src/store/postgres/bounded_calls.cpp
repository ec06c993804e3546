#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/postgres/libpq_on_demand.hpp"
#include "store/postgres/patience.hpp"

// Ours are seen by this program only: libpq's own calls must not come back here.
#pragma GCC visibility push(hidden)
#include <libpq-fe.h>

// The functions of libpq that wait for the server, as libpqxx and this folder call them. They do what libpq's own of
// the same name do, with a bound on every wait: libpq's asynchronous functions and poll(). A connection that is given
// up is shut down, which libpq then reports as a lost one.

namespace taskctl::postgres {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_slice{100};  // a signal is noticed within it
/// What TLS has decrypted already is not on the socket any more, so the first look comes soon.
constexpr milliseconds k_first_slice{10};
constexpr milliseconds k_default_limit{60'000};
constexpr milliseconds k_first_question{15'000};
constexpr milliseconds k_after_interrupt{2'000};

thread_local Patience* t_patience = nullptr;

/// One wait: what was heard last, and when the server is asked about next.
class Silence {
 public:
  explicit Silence(Patience& patience) : m_patience{patience} {}

  void heard() {
    m_since = system_clock().steady();
    m_question = k_first_question;
  }

  [[nodiscard]] bool is_bearable() {
    const auto now = system_clock().steady();
    if (m_patience.interrupted && m_patience.interrupted()) {
      m_interrupted = std::min(m_interrupted, now);
      if (now - m_interrupted >= k_after_interrupt) {
        m_patience.gave_up = "the server did not answer the request to stop";
        return false;
      }
    }
    const auto length = std::chrono::duration_cast<milliseconds>(now - m_since);
    if (m_patience.limit > milliseconds{0}) {
      return length < m_patience.limit || give_up(length);
    }
    if (length < m_question) {
      return true;
    }
    m_question = length * 2;
    return (m_patience.is_at_work && m_patience.is_at_work()) || give_up(length);
  }

 private:
  bool give_up(milliseconds length) {
    m_patience.gave_up = fmt::format("the server did not answer for {} s", length.count() / 1000);
    return false;
  }

  using Time = std::chrono::steady_clock::time_point;
  Patience& m_patience;
  Time m_since = system_clock().steady();
  Time m_interrupted = Time::max();
  milliseconds m_question = k_first_question;
};

/// Waits for one of `events`. False when the connection is lost, or was given up.
bool wait_for(PGconn* connection, short events, Silence& silence, milliseconds slice) {
  const int socket = PQsocket(connection);
  if (socket < 0) {
    return false;
  }
  pollfd waiting{.fd = socket, .events = events, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(slice.count()));
  if (ready > 0) {
    silence.heard();
  } else if (!silence.is_bearable()) {
    shutdown(socket, SHUT_RDWR);
    PQconsumeInput(connection);
    return false;
  }
  return waiting.revents == POLLOUT || PQconsumeInput(connection) != 0;
}

Patience& current_patience() {
  thread_local Patience usual{.limit = k_default_limit, .is_at_work = {}, .interrupted = {}, .gave_up = {}};
  return t_patience == nullptr ? usual : *t_patience;
}

/// Until the server has taken all of it: one that does not read must not keep us in send().
bool flush(PGconn* connection) {
  Silence silence{current_patience()};
  int left = PQflush(connection);
  while (left > 0 && wait_for(connection, POLLIN | POLLOUT, silence, k_slice)) {
    left = PQflush(connection);
  }
  return left == 0;
}

/// Until PQgetResult returns at once.
void await_result(PGconn* connection) {
  Silence silence{current_patience()};
  milliseconds slice = k_first_slice;
  while (PQisBusy(connection) != 0 && wait_for(connection, POLLIN, silence, slice)) {
    slice = k_slice;
  }
}

/// What is left of a statement before, as libpq's own PQexec does.
bool is_ready(PGconn* connection) {
  while (PGresult* const rest = PQgetResult(connection)) {
    PQclear(rest);
    if (PQstatus(connection) == CONNECTION_BAD) {
      return false;
    }
  }
  return true;
}

/// The last of a statement's results, which is what PQexec returns.
PGresult* last_result(PGconn* connection) {
  PGresult* last = nullptr;
  while (PGresult* const next = PQgetResult(connection)) {
    PQclear(last);
    last = next;
    if (PQstatus(connection) == CONNECTION_BAD) {
      break;
    }
  }
  return last;
}

template <typename Send>
PGresult* execute(PGconn* connection, const Send& send) {
  if (connection == nullptr || !is_ready(connection)) {
    return nullptr;
  }
  PQsetnonblocking(connection, 1);
  if (send() != 1) {
    return nullptr;
  }
  flush(connection);  // of a connection that is lost meanwhile, the result tells
  return last_result(connection);
}

template <typename Function>
Function* original(const char* name) {
  return find_libpq_function<Function>(name);
}

/// One call of PQconnectdb, in a thread of its own: it goes from host to host, each with its own limit of time, as
/// PQconnectPoll alone does not, and cannot be told to stop. Given up, it ends by itself.
class Connecting {
 public:
  /// When it is done. nullptr: `interrupted` says so first.
  static PGconn* run(const std::string& options, const std::function<bool()>& interrupted) {
    const auto attempt = std::make_shared<Connecting>();
    std::thread{[attempt, options] { attempt->connect(options); }}.detach();
    std::unique_lock lock{attempt->m_mutex};
    while (!attempt->m_done) {
      attempt->m_change.wait_for(lock, k_slice);
      if (!attempt->m_done && interrupted()) {
        attempt->m_given_up = true;
        return nullptr;
      }
    }
    if (attempt->m_failure) {
      std::rethrow_exception(attempt->m_failure);
    }
    return attempt->m_connection;
  }

 private:
  void connect(const std::string& options) {
    PGconn* connection = nullptr;
    std::exception_ptr failure;
    try {
      connection = original<decltype(PQconnectdb)>("PQconnectdb")(options.c_str());
    } catch (...) {
      failure = std::current_exception();  // the library cannot be loaded
    }
    const std::lock_guard lock{m_mutex};
    if (m_given_up) {
      PQfinish(connection);
      return;
    }
    m_connection = connection;
    m_failure = failure;
    m_done = true;
    m_change.notify_all();
  }

  std::mutex m_mutex;
  std::condition_variable m_change;
  PGconn* m_connection = nullptr;
  std::exception_ptr m_failure;
  bool m_done = false, m_given_up = false;
};

}  // namespace

PatienceScope::PatienceScope(Patience& patience) : m_before{t_patience} {
  patience.gave_up.clear();
  t_patience = &patience;
}

PatienceScope::~PatienceScope() {
  t_patience = m_before;
}

}  // namespace taskctl::postgres

using taskctl::postgres::execute;
using taskctl::postgres::original;

extern "C" PGconn* PQconnectdb(const char* conninfo) {
  static auto* const connect = original<decltype(PQconnectdb)>("PQconnectdb");
  const auto& interrupted = taskctl::postgres::current_patience().interrupted;
  if (!interrupted) {
    return connect(conninfo);
  }
  PGconn* const connection = taskctl::postgres::Connecting::run(conninfo, interrupted);
  if (connection == nullptr) {
    throw taskctl::InterruptedError{"nobody waits for the server to accept the connection any more"};
  }
  return connection;
}

extern "C" PGresult* PQgetResult(PGconn* conn) {
  static auto* const get_result = original<decltype(PQgetResult)>("PQgetResult");
  if (conn != nullptr) {
    taskctl::postgres::await_result(conn);
  }
  return get_result(conn);
}

extern "C" PGresult* PQexec(PGconn* conn, const char* query) {
  static auto* const send = original<decltype(PQsendQuery)>("PQsendQuery");
  return execute(conn, [&] { return send(conn, query); });
}

extern "C" PGresult* PQexecParams(PGconn* conn, const char* command, int nParams, const Oid* paramTypes,
                                  const char* const* paramValues, const int* paramLengths, const int* paramFormats,
                                  int resultFormat) {
  static auto* const send = original<decltype(PQsendQueryParams)>("PQsendQueryParams");
  return execute(conn, [&] {
    return send(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat);
  });
}

extern "C" PGresult* PQprepare(PGconn* conn, const char* stmtName, const char* query, int nParams,
                               const Oid* paramTypes) {
  static auto* const send = original<decltype(PQsendPrepare)>("PQsendPrepare");
  return execute(conn, [&] { return send(conn, stmtName, query, nParams, paramTypes); });
}

extern "C" PGresult* PQexecPrepared(PGconn* conn, const char* stmtName, int nParams, const char* const* paramValues,
                                    const int* paramLengths, const int* paramFormats, int resultFormat) {
  static auto* const send = original<decltype(PQsendQueryPrepared)>("PQsendQueryPrepared");
  return execute(conn,
                 [&] { return send(conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat); });
}

extern "C" int PQsendQuery(PGconn* conn, const char* query) {
  static auto* const send = original<decltype(PQsendQuery)>("PQsendQuery");
  PQsetnonblocking(conn, 1);
  return send(conn, query) == 1 && taskctl::postgres::flush(conn) ? 1 : 0;
}

extern "C" int PQsendQueryParams(PGconn* conn, const char* command, int nParams, const Oid* paramTypes,
                                 const char* const* paramValues, const int* paramLengths, const int* paramFormats,
                                 int resultFormat) {
  static auto* const send = original<decltype(PQsendQueryParams)>("PQsendQueryParams");
  PQsetnonblocking(conn, 1);
  const int sent = send(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat);
  return sent == 1 && taskctl::postgres::flush(conn) ? 1 : 0;
}

#pragma GCC visibility pop
