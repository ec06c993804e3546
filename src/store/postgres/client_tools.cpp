#include "store/postgres/client_tools.hpp"

#include <charconv>
#include <chrono>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "store/partial_file.hpp"
#include "store/postgres/session.hpp"

namespace taskctl::postgres {
namespace {

constexpr Duration k_no_limit = std::chrono::hours{24 * 365};
constexpr Duration k_version_limit = std::chrono::seconds{30};
constexpr Duration k_grace = std::chrono::seconds{2};
constexpr Duration k_silence = std::chrono::seconds{15};
constexpr std::size_t k_shown_error = 600;
constexpr const char* k_english = "LC_MESSAGES=C";  ///< messages of the tools are shown and searched

/// By which the server's sessions of our tools are known.
std::string tool_name() {
  return application_name("taskctl tool");
}

/// One host of a list: the tools must reach the server whose snapshot and version we know.
void pin_host(ConnInfo& info, const ServerInfo& server) {
  const std::string* host = info.find("host");
  const std::string* address = info.find("hostaddr");
  const bool several = (host != nullptr && host->find(',') != std::string::npos) ||
                       (address != nullptr && address->find(',') != std::string::npos);
  if (several) {
    info.erase("hostaddr");
    info.set("host", server.host);
    info.set("port", server.port);
  }
}

std::string error_text(const ProcessResult& result) {
  std::string text = redact(result.error);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.empty() ? "exit status " + std::to_string(result.status) : text.substr(0, k_shown_error);
}

void run_tool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
              const StopSource* stop, const ProcessWatch& watch = {}) {
  const ProcessResult result = run_process(arguments, environment, k_no_limit, stop, k_grace, watch);
  if (stop != nullptr && stop->requested()) {
    throw InterruptedError{"'" + arguments.front() + "' was stopped"};
  }
  if (result.gave_up) {
    throw Error{ExitCode::backup, "'" + arguments.front() + "' was ended: the server does not answer it any more",
                "Look at what stands between here and the server (a proxy, a firewall), and try again."};
  }
  if (result.status == 127) {
    throw Error{ExitCode::backup, "'" + arguments.front() + "' is not installed",
                "Install the package 'postgresql-client'."};
  }
  if (result.status != 0) {
    const bool full = result.error.find("No space left on device") != std::string::npos;
    throw Error{ExitCode::backup, "'" + arguments.front() + "' failed: " + error_text(result),
                full ? "Make room, or give another folder with --backup-dir." : ""};
  }
}

}  // namespace

ClientTools::ClientTools(const Location& location, const OpenOptions& options, const ServerInfo& server,
                         const StopSource* stop)
    : m_info{session_options(location, options)}, m_environment{k_english}, m_stop{stop} {
  pin_host(m_info, server);
  m_own_session = m_info.text();
  m_info.set("application_name", tool_name());
  if (const std::string* password = m_info.find("password")) {
    m_environment.push_back("PGPASSWORD=" + *password);
    m_info.erase("password");
  }
}

int ClientTools::major_version(const std::string& program) const {
  const ProcessResult result = run_process({program, "--version"}, m_environment, k_version_limit);
  const std::size_t at = result.output.find("(PostgreSQL) ");
  if (result.status != 0 || at == std::string::npos) {
    return 0;
  }
  int version = 0;
  const char* begin = result.output.data() + at + 13;
  std::from_chars(begin, result.output.data() + result.output.size(), version);
  return version;
}

void ClientTools::require_version(const std::string& program, int server_major, const std::string& otherwise) const {
  const int version = major_version(program);
  if (version >= server_major) {
    return;
  }
  const std::string hint = "Install " + client_package(server_major) + ", or " + otherwise + ".";
  if (version == 0) {
    throw Error{ExitCode::backup, "'" + program + "' is not installed", hint};
  }
  throw Error{ExitCode::backup,
              "'" + program + "' is version " + std::to_string(version) + ", the server is version " +
                  std::to_string(server_major),
              hint};
}

std::string ClientTools::target(const std::string& name) const {
  if (m_info.find("sslpassword") != nullptr) {
    throw Error{ExitCode::backup,
                "'sslpassword' cannot be handed to PostgreSQL's tools without showing it to every user",
                "Use a key without a password, or --backup rows before a repair."};
  }
  ConnInfo info = m_info;
  if (!name.empty()) {
    info.set("dbname", name);
  }
  return info.text();
}

void ClientTools::run(const std::vector<std::string>& arguments) const {
  run_tool(arguments, m_environment, m_stop,
           {.silence = k_silence, .is_worth_it = [this] { return is_server_at_work(); }});
}

bool ClientTools::is_server_at_work() const {
  return server_finds(
      m_own_session,
      std::string{"SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND "} + k_session_is_at_work,
      {tool_name()}, [this] { return m_stop != nullptr && m_stop->requested(); });
}

std::string archive_contents(const std::filesystem::path& archive, const StopSource* stop) {
  // Through a file: the list of a database with many tables is longer than what run_process keeps.
  const PartialFile list{std::filesystem::temp_directory_path()};
  run_tool({"pg_restore", "--list", "--file=" + list.path().string(), archive.string()}, {k_english}, stop);
  return read_file(list.path());
}

std::string client_package(int server_major) {
  return "postgresql-client-" + std::to_string(server_major);
}

Location other_database(const Location& location, const ServerInfo& server, const std::string& name) {
  ConnInfo info = ConnInfo::parse(location.text);
  pin_host(info, server);
  info.set("dbname", name);
  Location result = location;
  result.text = info.text();
  result.display = redact(result.text);
  return result;
}

}  // namespace taskctl::postgres
