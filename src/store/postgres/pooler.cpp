#include "store/postgres/pooler.hpp"

#include <memory>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/patience.hpp"

namespace taskctl::postgres {
namespace {

/// As many idle server processes of a pool are kept busy before the question stays open.
constexpr std::size_t k_most_sessions = 8;
constexpr std::chrono::milliseconds k_limit{3'000};

[[noreturn]] void refuse(const std::string& where) {
  throw Error{ExitCode::refused,
              "'" + where +
                  "' is behind a pool that gives every transaction another session (transaction pooling): the run lock "
                  "and the timeouts would be lost between two batches",
              "Connect to PostgreSQL directly, or through a pool in session mode."};
}

/// Opens sessions beside ours, each in a transaction. In session mode ours keeps its server process, so sooner or later
/// one of them gets a process that was started for it. In transaction mode ours is idle now, and the pool hands it out
/// before it starts another.
bool is_process_shared(Session& session, const std::string& process, const std::string& options) {
  const std::string since = session.work.exec("SELECT clock_timestamp()::text")[0][0].as<std::string>();
  std::vector<std::unique_ptr<Session>> others;
  bool shared = false;
  bool started = false;
  while (!shared && !started && others.size() < k_most_sessions) {
    Session& other = *others.emplace_back(std::make_unique<Session>(options));
    other.work.exec("BEGIN");
    const pqxx::result found = other.work.exec_params(
        "SELECT pid::text, (backend_start >= $1::text::timestamptz)::text FROM pg_stat_get_activity(pg_backend_pid())",
        since);
    shared = found[0][0].as<std::string>() == process;
    started = found[0][1].as<std::string>() == "true";
  }
  for (const std::unique_ptr<Session>& other : others) {
    other->work.exec("ROLLBACK");
  }
  return shared;
}

}  // namespace

void refuse_transaction_pooling(Session& session, const std::string& process, const std::string& options,
                                const std::string& where) {
  Patience patience{.limit = k_limit, .is_at_work = {}, .interrupted = {}, .gave_up = {}};
  const PatienceScope scope{patience};
  bool shared = false;
  try {
    shared = is_process_shared(session, process, options);
  } catch (const std::exception&) {
    // The pool is full or slow. In transaction mode our own process, idle as it is, would have been there. Every batch
    // looks at the process that it got besides.
    shared = false;
  }
  if (shared) {
    refuse(where);
  }
}

}  // namespace taskctl::postgres
