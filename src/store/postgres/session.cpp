#include "store/postgres/session.hpp"

#include <array>
#include <future>
#include <memory>
#include <thread>

#include <libpq-fe.h>

#include "store/postgres/patience.hpp"

namespace taskctl::postgres {
namespace {

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Result next_result(PGconn* connection) {
  return Result{PQgetResult(connection), &PQclear};
}

/// Leaves the connection ready for the next statement, however the reading ended.
class Reading {
 public:
  explicit Reading(PqxxConnection& connection) : m_connection{connection} {}
  ~Reading() {
    if (m_finished) {
      return;
    }
    CancelRequest{m_connection.handle()}.send();  // one that does not get through: the rest is read
    while (next_result(m_connection.handle())) {
    }
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  /// The next result; null when the statement is over.
  Result next() {
    Result result = next_result(m_connection.handle());
    m_finished = !result;
    return result;
  }

 private:
  PqxxConnection& m_connection;
  bool m_finished = false;
};

void read_row(const PGresult* result, Row& row) {
  const int columns = PQnfields(result);
  row.resize(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    Value& value = row[static_cast<std::size_t>(i)];
    if (PQgetisnull(result, 0, i) != 0) {
      value = Null{};
    } else {
      value = std::string{PQgetvalue(result, 0, i), static_cast<std::size_t>(PQgetlength(result, 0, i))};
    }
  }
}

[[noreturn]] void throw_failure(const PGresult* result, const std::string& sql) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  throw pqxx::sql_error{PQresultErrorMessage(result), sql, state == nullptr ? "" : state};
}

}  // namespace

PqxxConnection::PqxxConnection(const std::string& options) : connection_base{m_policy}, m_policy{options} {
  init();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

std::string last_words(const PqxxConnection& connection) {
  return connection.handle() == nullptr ? std::string{} : std::string{PQerrorMessage(connection.handle())};
}

CancelRequest::CancelRequest(PGconn* connection) noexcept {
  try {
    m_request = {PQgetCancel(connection), [](void* request) { PQfreeCancel(static_cast<PGcancel*>(request)); }};
  } catch (const std::exception&) {
    m_request.reset();
  }
}

void CancelRequest::send() const noexcept {
  if (!m_request) {
    return;
  }
  try {
    const auto sent = std::make_shared<std::promise<void>>();
    std::future<void> result = sent->get_future();
    std::thread{[request = m_request, sent] {
      std::array<char, 256> message{};  // nobody reads it: a statement that goes on tells enough
      PQcancel(static_cast<PGcancel*>(request.get()), message.data(), static_cast<int>(message.size()));
      sent->set_value();
    }}.detach();
    result.wait_for(std::chrono::seconds{1});
  } catch (const std::exception&) {
    return;  // no thread could be made: the statement is not asked to stop
  }
}

void stream_rows(PqxxConnection& connection, const std::string& sql, const Parameters& parameters,
                 const RowSink& sink) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  PGconn* const handle = connection.handle();
  if (PQsendQueryParams(handle, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr,
                        0) != 1) {
    throw pqxx::broken_connection{PQerrorMessage(handle)};
  }
  PQsetSingleRowMode(handle);
  Reading reading{connection};
  Row row;
  while (const Result result = reading.next()) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_SINGLE_TUPLE) {
      read_row(result.get(), row);
      sink(row);
    } else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw_failure(result.get(), sql);
    }
  }
}

bool is_servers_refusal(std::string_view message) {
  return message.find(":  ") != std::string_view::npos;  // severities are translated, the colon and two blanks are not
}

bool server_finds(const std::string& options, const std::string& sql, const Parameters& parameters,
                  const std::function<bool()>& interrupted) {
  Patience patience{.limit = k_longest_question, .is_at_work = {}, .interrupted = interrupted, .gave_up = {}};
  const PatienceScope scope{patience};
  try {
    Session session{options};
    return !session.work.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters)).empty();
  } catch (const std::exception& error) {
    return is_servers_refusal(error.what());
  }
}

}  // namespace taskctl::postgres
