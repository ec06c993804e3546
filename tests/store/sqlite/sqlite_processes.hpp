#pragma once

#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"
#include "store/sqlite/driver.hpp"

namespace taskctl::test {

inline constexpr unsigned k_nobody = 65534;

inline std::unique_ptr<Connection> open_sqlite(const std::filesystem::path& path, Access access,
                                               Duration busy_wait = std::chrono::seconds{2}) {
  OpenOptions options;
  options.busy_wait = busy_wait;
  return sqlite_driver().open(Location{.text = path.string(), .display = path.string()}, access, options);
}

/// "code: message" of the Error that `action` throws, "nothing" when it throws none.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return fmt::format("{}: {}", exit_code_name(static_cast<int>(error.code())), error.message());
  }
  return "nothing";
}

/// Runs SQL on a connection that taskctl knows nothing of, and closes it.
inline std::string run_sql(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* handle = nullptr;
  sqlite3_open(path.c_str(), &handle);
  sqlite3_busy_timeout(handle, 2000);
  std::string reply = "ok";
  if (sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    reply = sqlite3_errmsg(handle);
  }
  sqlite3_close(handle);
  return reply;
}

inline void become(unsigned user) {
  if (user != 0 && (setgroups(0, nullptr) != 0 || setgid(user) != 0 || setuid(user) != 0)) {
    _exit(99);
  }
}

/// What `action` returns in a process of its own that runs as `user` (0: as this one). Errors come as error_of() has
/// them.
inline std::string in_process(unsigned user, const std::function<std::string()>& action) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) {
    throw std::runtime_error{"pipe"};
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    become(user);
    std::string answer;
    const std::string failure = error_of([&] { answer = action(); });
    const std::string& text = failure == "nothing" ? answer : failure;
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 98);
  }
  close(ends[1]);
  std::string answer;
  std::array<char, 512> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? answer : fmt::format("process ended with {}: {}", status, answer);
}

/// An application that keeps the database open in a process of its own.
class Application {
 public:
  explicit Application(const std::filesystem::path& path, unsigned user = 0) {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    if (pipe(to.data()) != 0 || pipe(from.data()) != 0) {
      throw std::runtime_error{"pipe"};
    }
    m_child = fork();
    if (m_child == 0) {
      close(to[1]);
      close(from[0]);
      become(user);
      serve(path, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    m_to = to[1];
    m_from = from[0];
  }
  ~Application() { finish(); }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// "ok" or SQLite's message.
  std::string exec(const std::string& sql) {
    start(sql);
    return reply();
  }
  void start(const std::string& sql) const {
    const std::string line = sql + "\n";
    if (write(m_to, line.data(), line.size()) < 0) {
      throw std::runtime_error{"the application is gone"};
    }
  }
  [[nodiscard]] std::string reply() const {
    std::string line;
    for (char c = 0; read(m_from, &c, 1) == 1 && c != '\n';) {
      line += c;
    }
    return line;
  }
  void kill() {
    ::kill(m_child, SIGKILL);
    finish();
  }
  /// Closes the database as a good application does.
  void finish() {
    if (m_child > 0) {
      close(m_to);
      close(m_from);
      waitpid(m_child, nullptr, 0);
      m_child = 0;
    }
  }

 private:
  [[noreturn]] static void serve(const std::filesystem::path& path, int in, int out) {
    sqlite3* handle = nullptr;
    sqlite3_open(path.c_str(), &handle);
    sqlite3_busy_timeout(handle, 3000);
    std::string line;
    for (char c = 0; read(in, &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      std::string answer = "ok\n";
      if (sqlite3_exec(handle, line.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        answer = std::string{sqlite3_errmsg(handle)} + "\n";
      }
      line.clear();
      if (write(out, answer.data(), answer.size()) < 0) {
        break;
      }
    }
    sqlite3_close(handle);
    _exit(0);
  }

  pid_t m_child = 0;
  int m_to = -1;
  int m_from = -1;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Name → content of every file in a folder: equal before and after means that nothing was created, changed or removed.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    files[entry.path().filename().string()] = bytes_of(entry.path());
  }
  return files;
}

inline std::int64_t number(Connection& connection, const std::string& sql) {
  return std::get<std::int64_t>(connection.query(sql).at(0).at(0));
}

}  // namespace taskctl::test
