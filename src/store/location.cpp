#include "store/location.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {
namespace {

constexpr std::string_view k_supported =
    "Give a SQLite file ('tasks.db' or 'sqlite:tasks.db'), a URL ('postgresql://user@host/database'), "
    "or a libpq keyword string ('host=db1 dbname=app').";

/// Keywords of libpq 15 by which a keyword string is told from a file name that has a '=' in it.
constexpr auto k_libpq_keywords = std::to_array<std::string_view>({"host",
                                                                   "hostaddr",
                                                                   "port",
                                                                   "dbname",
                                                                   "user",
                                                                   "password",
                                                                   "passfile",
                                                                   "service",
                                                                   "connect_timeout",
                                                                   "options",
                                                                   "application_name",
                                                                   "fallback_application_name",
                                                                   "sslmode",
                                                                   "sslcert",
                                                                   "sslkey",
                                                                   "sslrootcert",
                                                                   "sslcrl",
                                                                   "sslcrldir",
                                                                   "sslcompression",
                                                                   "sslpassword",
                                                                   "sslsni",
                                                                   "ssl_min_protocol_version",
                                                                   "ssl_max_protocol_version",
                                                                   "channel_binding",
                                                                   "client_encoding",
                                                                   "gssencmode",
                                                                   "krbsrvname",
                                                                   "gsslib",
                                                                   "keepalives",
                                                                   "keepalives_idle",
                                                                   "keepalives_interval",
                                                                   "keepalives_count",
                                                                   "tcp_user_timeout",
                                                                   "replication",
                                                                   "requirepeer",
                                                                   "target_session_attrs"});

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '+' || c == '-' || c == '.';
  });
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool is_keyword_string(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.front() == '/' || text.front() == '.') {
    return false;
  }
  std::string_view keyword = text.substr(0, equals);
  while (!keyword.empty() && std::isspace(static_cast<unsigned char>(keyword.back())) != 0) {
    keyword.remove_suffix(1);
  }
  while (!keyword.empty() && std::isspace(static_cast<unsigned char>(keyword.front())) != 0) {
    keyword.remove_prefix(1);
  }
  return std::find(k_libpq_keywords.begin(), k_libpq_keywords.end(), keyword) != k_libpq_keywords.end();
}

bool is_port(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// libpq takes the first '@' and the first '/' of a URL as delimiters. A password that holds one of them would reach
/// libpq as a host name or a port and from there error messages, so such a URL is refused here, without quoting it.
void check_url(std::string_view text) {
  const std::size_t begin = text.find("://") + 3;
  const std::string_view authority = text.substr(begin, text.find_first_of("/?", begin) - begin);
  const std::size_t at = authority.find('@');
  if (at != authority.rfind('@')) {
    throw Error{ExitCode::usage, "the PostgreSQL URL has more than one '@' before its database",
                "Write a '@' of the password as %40, or leave the password to ~/.pgpass."};
  }
  std::string_view hosts = at == std::string_view::npos ? authority : authority.substr(at + 1);
  while (!hosts.empty()) {
    const std::size_t comma = hosts.find(',');
    std::string_view host = hosts.substr(0, comma);
    hosts = comma == std::string_view::npos ? std::string_view{} : hosts.substr(comma + 1);
    if (const std::size_t bracket = host.rfind(']'); bracket != std::string_view::npos) {
      host.remove_prefix(bracket + 1);
    }
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) {
      throw Error{ExitCode::usage, "the port in the PostgreSQL URL is not a number",
                  "Write a '/', '?' or ':' of the password as %2F, %3F or %3A, or leave the password to ~/.pgpass."};
    }
  }
}

Location postgres_location(std::string_view text) {
  Location location;
  location.engine = Engine::postgres;
  location.text = std::string{text};
  location.display = redact(text);
  location.has_password = location.display != location.text;
  return location;
}

Location sqlite_location(std::string_view path) {
  if (path.empty()) {
    throw Error{ExitCode::usage, "no database file is named after 'sqlite:'", std::string{k_supported}};
  }
  if (path == ":memory:") {
    throw Error{ExitCode::usage, "':memory:' is an empty database of one process", std::string{k_supported}};
  }
  Location location;
  location.engine = Engine::sqlite;
  location.text = std::filesystem::absolute(std::filesystem::path{path}).lexically_normal().string();
  location.display = location.text;
  return location;
}

}  // namespace

Location parse_location(std::string_view text) {
  if (text.empty()) {
    throw Error{ExitCode::usage, "the database's location is empty", std::string{k_supported}};
  }
  if (text.find('\0') != std::string_view::npos) {
    throw Error{ExitCode::usage, "the database's location has a NUL character"};
  }
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = scheme_end == std::string_view::npos ? "" : lower(text.substr(0, scheme_end));
  if (scheme == "postgres" || scheme == "postgresql") {
    check_url(text);
    // libpq knows the scheme in lower case only.
    return postgres_location(scheme + std::string{text.substr(scheme_end)});
  }
  if (scheme == "sqlite") {
    // sqlite:///absolute/path and sqlite://relative/path
    return sqlite_location(text.substr(scheme_end + 3));
  }
  if (is_word(scheme)) {
    throw Error{ExitCode::usage, "'" + scheme + "://' databases are not supported", std::string{k_supported}};
  }
  if (text.starts_with("sqlite:")) {
    return sqlite_location(text.substr(7));
  }
  if (is_keyword_string(text)) {
    return postgres_location(text);
  }
  return sqlite_location(text);
}

}  // namespace taskctl
