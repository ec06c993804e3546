#include "store/postgres/errors.hpp"

#include <algorithm>
#include <array>

#include <pqxx/pqxx>

#include "base/text.hpp"

namespace taskctl::postgres {
namespace {

/// The text after "LABEL:  " at the start of a line, to the end of that line; empty when there is none.
std::string labelled(std::string_view message, std::string_view label) {
  const std::size_t at = message.find(label);
  if (at == std::string_view::npos || (at != 0 && message[at - 1] != '\n')) {
    return {};
  }
  std::string_view rest = message.substr(at + label.size());
  rest = rest.substr(0, rest.find('\n'));
  const std::size_t begin = rest.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string{} : std::string{rest.substr(begin)};
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Data of one row is the reason: integrity (23), data exception (22), WITH CHECK OPTION (44), a trigger's own
/// RAISE (P0, 09, 27) or a class that the SQL standard leaves to users (first character 5-9 or I-Z), which
/// functions raise with their own ERRCODE.
bool is_about_data(std::string_view state) {
  static constexpr auto k_servers_own =
      std::to_array<std::string_view>({"53", "54", "55", "57", "58", "72", "P0", "XX"});
  const std::string_view group = state.substr(0, 2);
  if (group == "22" || group == "23" || group == "44" || group == "09" || group == "27" || group == "P0") {
    return true;
  }
  const bool users = (state[0] >= '5' && state[0] <= '9') || (state[0] >= 'I' && state[0] <= 'Z');
  return users && std::find(k_servers_own.begin(), k_servers_own.end(), group) == k_servers_own.end();
}

[[noreturn]] void throw_cancelled(const std::string& text) {
  // 57014 is both; the server's text is the only difference. Under a translated lc_messages a cancellation by an
  // administrator is taken for a timeout, which ends the transaction just the same.
  if (contains_any(text, {"user request"})) {
    throw InterruptedError{"the statement was cancelled by another session"};
  }
  throw BusyError{"a statement took longer than its timeout: " + text,
                  "Try again when the database is less busy, or with a smaller --batch-size."};
}

[[noreturn]] void throw_for_state(std::string_view state, const std::string& text, const std::string& hint) {
  if (state == "57014") {
    throw_cancelled(text);
  }
  if (state == "40001" || state == "40P01") {
    throw BusyError{text};
  }
  if (state == "25006") {
    throw Error{ExitCode::refused, text, "Connect to the primary server with a connection that may write."};
  }
  if (state == "42501") {
    throw Error{
        ExitCode::access, text,
        "Grant the missing right, or connect as a role that has it; 'taskctl grants' prints what a role needs."};
  }
  if (state == "22021" || state == "22P05") {
    throw Error{ExitCode::usage, "a text cannot be stored in this database's encoding: " + text};
  }
  if (state == "42P01" || state == "42703" || state == "42883" || state == "3F000" || state == "XX001" ||
      state == "XX002") {
    throw Error{ExitCode::mismatch, text, hint};
  }
  if (state == "53300" || state == "57P03") {
    throw Error{ExitCode::unavailable, text};
  }
  if (state.size() == 5 && is_about_data(state)) {
    throw ConstraintError{text};
  }
  throw Error{ExitCode::failed, state.empty() ? text : text + " (SQLSTATE " + std::string{state} + ")", hint};
}

[[noreturn]] void throw_lost(const FailureContext& context, const std::string& text) {
  if (context.committing) {
    throw InDoubtError{"the connection to '" + context.where + "' was lost during COMMIT"};
  }
  if (context.interrupted && !context.gave_up.empty()) {
    throw InterruptedError{"the running statement was given up: " + context.gave_up};
  }
  const std::string known = context.last_words.empty() ? text : short_message(context.last_words);
  throw ConnectionLostError{"the connection to '" + context.where +
                            "' was lost: " + (context.gave_up.empty() ? known : context.gave_up)};
}

/// The server has ended the session, although nobody has seen its end yet: an administrator, a crash, an idle timeout.
bool ends_session(std::string_view state) {
  return state == "57P01" || state == "57P02" || state == "57P05" || state == "25P03";
}

/// sqlstate() is empty for insufficient_privilege in libpqxx 6.4 although the server sent 42501.
std::string state_of(const pqxx::sql_error& error) {
  return dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr ? "42501" : error.sqlstate();
}

std::string joined_lines(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += result.empty() || result.back() == ' ' ? "" : " ";
    } else if (c != '\t') {
      result += c;
    }
  }
  while (!result.empty() && result.back() == ' ') {
    result.pop_back();
  }
  return result;
}

}  // namespace

std::string short_message(std::string_view message) {
  std::string first{message.substr(0, message.find('\n'))};
  // "ERROR:  text": severities are translated, the colon and two blanks are not.
  if (const std::size_t at = first.find(":  "); at != std::string::npos && at < 24) {
    first.erase(0, at + 3);
  }
  std::string detail = labelled(message, "DETAIL:");
  if (!detail.empty() && detail.back() == '.') {
    detail.pop_back();
  }
  return detail.empty() ? first : first + " (" + detail + ")";
}

void rethrow_as_error(const FailureContext& context) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const pqxx::in_doubt_error&) {
    throw InDoubtError{"the connection to '" + context.where + "' was lost during COMMIT"};
  } catch (const pqxx::broken_connection& error) {
    throw_lost(context, short_message(error.what()));
  } catch (const std::exception& error) {
    const std::string text = short_message(error.what());
    if (context.lost) {
      throw_lost(context, text);
    }
    if (dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
      throw BusyError{text};
    }
    const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
    if (sql == nullptr) {
      throw Error{ExitCode::bug, text};
    }
    const std::string state = state_of(*sql);
    if (ends_session(state)) {
      throw_lost(context, text);
    }
    if (context.interrupted && state == "57014") {
      throw InterruptedError{"the running statement was interrupted"};
    }
    if (state == "55P03") {
      throw LockTimeoutError{text, labelled(error.what(), "CONTEXT:")};
    }
    throw_for_state(state, text, labelled(error.what(), "HINT:"));
  }
}

void rethrow_connect_failure(const std::string& where) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = redact(joined_lines(error.what()));
    const std::string message = "cannot connect to '" + where + "': " + text;
    // libpq gives no SQLSTATE for a refused login.
    if (contains_any(text, {"password", "authentication", "pg_hba.conf", "permission denied for database",
                            "not permitted to log in"}) ||
        (contains_any(text, {"role \""}) && contains_any(text, {"does not exist"}))) {
      throw Error{ExitCode::access, message, "Check user and password (~/.pgpass, PGPASSWORD or --password-file)."};
    }
    throw Error{ExitCode::unavailable, message,
                "Check that the server runs and that host, port and database are right."};
  }
}

}  // namespace taskctl::postgres
