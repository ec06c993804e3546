#include "store/postgres/conninfo.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include <libpq-fe.h>

#include "base/environment.hpp"
#include "base/error.hpp"

namespace taskctl::postgres {
namespace {

constexpr std::size_t k_name_bytes = 63;  // NAMEDATALEN - 1

/// libpq's text with everything in double quotes taken out: it quotes pieces of the connection string, which
/// are pieces of the password when that is what is written wrongly.
std::string without_quotes(const std::string& message) {
  std::string result;
  bool quoted = false;
  for (const char c : message) {
    if (c == '"') {
      result += quoted ? "…\"" : "\"";
      quoted = !quoted;
    } else if (!quoted && c != '\n') {
      result += c;
    }
  }
  return result;
}

}  // namespace

ConnInfo ConnInfo::parse(const std::string& text) {
  char* raw_message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{PQconninfoParse(text.c_str(), &raw_message),
                                                                            &PQconninfoFree};
  const std::unique_ptr<char, decltype(&PQfreemem)> message{raw_message, &PQfreemem};
  if (!parsed) {
    throw Error{ExitCode::usage,
                "the connection string cannot be read: " + without_quotes(message ? message.get() : "out of memory"),
                "Quote values with blanks ('password=''a b'''), and percent-encode special characters in URLs."};
  }
  ConnInfo result;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      result.m_options.emplace(option->keyword, option->val);
    }
  }
  return result;
}

const std::string* ConnInfo::find(const std::string& key) const {
  const auto found = m_options.find(key);
  return found == m_options.end() ? nullptr : &found->second;
}

std::string ConnInfo::text() const {
  std::string result;
  for (const auto& [key, value] : m_options) {
    result += (result.empty() ? "" : " ") + key + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') {
        result += '\\';
      }
      result += c;
    }
    result += '\'';
  }
  return result;
}

ConnInfo session_options(const Location& location, const OpenOptions& options) {
  ConnInfo info = ConnInfo::parse(location.text);
  if (!options.password.empty()) {
    info.set("password", options.password);
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
  const std::string* given = info.find("connect_timeout");
  if (given == nullptr || *given == "0" || given->starts_with('-')) {  // both mean "for ever" to libpq
    info.set("connect_timeout", std::to_string(std::max<std::int64_t>(seconds, 1)));
  }
  info.set_default("application_name", application_name(options.application));
  // A server that vanished is noticed within about a minute instead of the kernel's two hours.
  info.set_default("keepalives_idle", "30");
  info.set_default("keepalives_interval", "10");
  info.set_default("keepalives_count", "3");
  info.set_default("tcp_user_timeout", "60000");
  return info;
}

void prefer_writable_host(ConnInfo& info) {
  const std::string* given = info.find("host") != nullptr ? info.find("host") : info.find("hostaddr");
  const std::string hosts = given != nullptr ? *given : environment("PGHOST").value_or("");
  if (hosts.find(',') != std::string::npos) {
    info.set_default("target_session_attrs", "read-write");
  }
}

std::string several_hosts(PGconn* connection) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconninfo(connection), &PQconninfoFree};
  std::string hosts;
  std::string ports;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const std::string_view key{option->keyword};
    const std::string value = option->val == nullptr ? "" : option->val;
    if (key == "port") {
      ports = value;
    } else if (key == "host" || (key == "hostaddr" && hosts.empty())) {
      hosts = value;
    }
  }
  return hosts.find(',') == std::string::npos ? std::string{} : hosts + ":" + ports;
}

std::string application_name_end() {
  return " pid " + std::to_string(current_author().pid);
}

std::string application_name(const std::string& command) {
  const Author author = current_author();
  const std::string head = (command.empty() ? "taskctl" : command) + " ";
  const std::string tail = application_name_end();
  const std::string& person = author.sudo_user.empty() ? author.user : author.sudo_user;
  const std::size_t used = std::min(head.size() + tail.size(), k_name_bytes);
  return (head + (person + "@" + author.host).substr(0, k_name_bytes - used) + tail).substr(0, k_name_bytes);
}

}  // namespace taskctl::postgres
