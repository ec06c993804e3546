#include "base/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_output_limit = std::size_t{1} << 20U;
constexpr std::size_t k_error_limit = std::size_t{64} << 10U;
constexpr int k_not_found = 127;
/// How long a pipe is read on after the program ended: something that it started may hold it open.
constexpr auto k_after_exit = std::chrono::milliseconds{200};
/// How late a stop or the end of the program is noticed, with and without an open pipe.
constexpr auto k_tick = std::chrono::milliseconds{50};
constexpr auto k_short_tick = std::chrono::milliseconds{2};
/// In /proc/PID/stat, between the state and the time in user mode: see proc(5).
constexpr int k_fields_before_times = 10;

/// Both ends of a pipe that no other child inherits.
struct Pipe {
  Descriptor read_end, write_end;

  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error{ExitCode::failed, fmt::format("cannot create a pipe: {}", error_text(errno))};
    }
    read_end = Descriptor{ends[0]};
    write_end = Descriptor{ends[1]};
  }
};

/// What posix_spawn is told: a process group of its own, so that everything it starts ends with it, and the default
/// action for every signal, none blocked (our own threads block INT, TERM and HUP, and a child inherits that).
class SpawnPlan {
 public:
  SpawnPlan(const Pipe& output, const Pipe& error) {
    check(posix_spawn_file_actions_init(&m_actions));
    check(posix_spawnattr_init(&m_attributes));
    check(posix_spawn_file_actions_addopen(&m_actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    check(posix_spawn_file_actions_adddup2(&m_actions, output.write_end.number(), STDOUT_FILENO));
    check(posix_spawn_file_actions_adddup2(&m_actions, error.write_end.number(), STDERR_FILENO));
    sigset_t signals;
    sigemptyset(&signals);
    check(posix_spawnattr_setsigmask(&m_attributes, &signals));
    sigfillset(&signals);
    check(posix_spawnattr_setsigdefault(&m_attributes, &signals));
    check(posix_spawnattr_setpgroup(&m_attributes, 0));
    check(posix_spawnattr_setflags(&m_attributes,
                                   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&m_actions);
    posix_spawnattr_destroy(&m_attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  /// 0, or the errno of what went wrong, finding the program included.
  int spawn(pid_t& pid, const std::vector<char*>& arguments, const std::vector<char*>& environment) const {
    return posix_spawnp(&pid, arguments.front(), &m_actions, &m_attributes, arguments.data(), environment.data());
  }

 private:
  static void check(int error) {
    if (error != 0) {
      throw Error{ExitCode::failed, fmt::format("cannot prepare to start a program: {}", error_text(error))};
    }
  }
  posix_spawn_file_actions_t m_actions{};
  posix_spawnattr_t m_attributes{};
};

/// Pointers as exec wants them, NULL at the end. The strings must outlive the result; exec does not write to them.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) {
    result.push_back(const_cast<char*>(string.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::vector<std::string>& added) {
  std::vector<std::string> merged = added;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string ours = *entry;
    const std::string name = ours.substr(0, ours.find('=') + 1);
    const auto replaces = [&name](const std::string& other) { return other.compare(0, name.size(), name) == 0; };
    if (std::none_of(added.begin(), added.end(), replaces)) {
      merged.push_back(ours);
    }
  }
  return merged;
}

/// One pipe of the child; what comes after the limit is read and dropped.
class Stream {
 public:
  Stream(Descriptor descriptor, std::string& text, std::size_t limit)
      : m_descriptor{std::move(descriptor)}, m_text{text}, m_limit{limit} {}

  [[nodiscard]] bool open() const { return static_cast<bool>(m_descriptor); }
  /// poll ignores the entry of a closed stream: its descriptor is negative.
  [[nodiscard]] pollfd interest() const { return {m_descriptor.number(), POLLIN, 0}; }

  void take() {
    std::array<char, 16384> buffer;
    const ssize_t got = read_some(m_descriptor.number(), buffer.data(), buffer.size());
    if (got <= 0) {
      m_descriptor.close();
      return;
    }
    m_text.append(buffer.data(), std::min(static_cast<std::size_t>(got), m_limit - m_text.size()));
  }

 private:
  Descriptor m_descriptor;
  std::string& m_text;
  std::size_t m_limit;
};

/// What a program has done so far: bytes read and written, sockets included, and the time that it computed; nullopt:
/// the kernel does not tell.
struct Progress {
  std::uint64_t bytes = 0, ticks = 0;
  bool in_kernel = false;  ///< not to be interrupted: as in fsync() of a large file, and never in a wait for a server
  friend bool operator==(const Progress&, const Progress&) = default;
};

std::optional<Progress> progress_of(pid_t pid) {
  std::ifstream file{fmt::format("/proc/{}/io", pid)};
  std::string name;
  std::uint64_t value = 0;
  std::optional<Progress> progress;
  while (file >> name >> value) {
    if (name == "rchar:" || name == "wchar:") {
      progress = progress.value_or(Progress{});
      progress->bytes += value;
    }
  }
  if (!progress) {
    return progress;
  }
  std::string line;
  std::getline(std::ifstream{fmt::format("/proc/{}/stat", pid)}, line);
  const std::size_t end_of_name = line.rfind(')');  // the name itself may hold blanks and brackets
  if (end_of_name == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields{line.substr(end_of_name + 1)};
  std::string state;
  std::string skipped;
  std::uint64_t system_ticks = 0;
  fields >> state;
  for (int i = 0; i < k_fields_before_times; ++i) {
    fields >> skipped;
  }
  fields >> progress->ticks >> system_ticks;
  progress->ticks += system_ticks;
  progress->in_kernel = state == "D";
  return progress;
}

/// Tells a program that waits in vain from one that is slow.
class Silence {
 public:
  explicit Silence(const ProcessWatch& watch) : m_watch{watch}, m_next{watch.silence} {}

  [[nodiscard]] bool is_pointless(pid_t pid) {
    const auto now = system_clock().steady();
    if (!m_watch.is_worth_it || now - m_looked < k_look) {
      return false;
    }
    m_looked = now;
    const auto progress = progress_of(pid);
    if (!progress || progress->in_kernel || progress != m_progress) {
      m_progress = progress;
      m_since = now;
      m_next = m_watch.silence;
      return false;
    }
    if (now - m_since < m_next) {
      return false;
    }
    m_next *= 2;
    return !m_watch.is_worth_it();
  }

 private:
  static constexpr auto k_look = std::chrono::milliseconds{500};
  using Moment = std::chrono::steady_clock::time_point;
  const ProcessWatch& m_watch;
  std::optional<Progress> m_progress;
  Moment m_looked = system_clock().steady(), m_since = m_looked;
  Duration m_next;
};

/// A started program, followed until it has ended and its pipes are read.
class Child {
 public:
  Child(pid_t pid, Pipe& output, Pipe& error, Duration grace, ProcessResult& result)
      : m_pid{pid},
        m_grace{grace},
        m_output{std::move(output.read_end), result.output, k_output_limit},
        m_error{std::move(error.read_end), result.error, k_error_limit},
        m_result{result} {}

  void follow(Duration limit, const StopSource* stop, const ProcessWatch& watch) {
    const Moment begin = system_clock().steady();
    Silence silence{watch};
    while (!finished()) {
      const Moment now = system_clock().steady();
      if (!m_ended && !m_terminated) {
        m_result.timed_out = now - begin >= limit;
        m_result.gave_up = silence.is_pointless(m_pid);
        if ((stop != nullptr && stop->requested()) || m_result.timed_out || m_result.gave_up) {
          m_terminated = now;
          kill(-m_pid, SIGTERM);
        }
      }
      insist(now);
      read_pipes();
      reap();
    }
    m_result.output_held = m_output.open();
  }

 private:
  using Moment = std::chrono::steady_clock::time_point;

  void insist(Moment now) {
    if (m_ended || !m_terminated) {
      return;
    }
    if (now - *m_terminated >= m_grace) {
      kill(-m_pid, SIGKILL);
    } else if (!m_insisted && now - *m_terminated >= m_grace / 2) {
      m_insisted = true;
      kill(-m_pid, SIGTERM);
    }
  }

  [[nodiscard]] bool finished() const {
    const bool read = !m_output.open() && !m_error.open();
    return m_ended && (read || system_clock().steady() - *m_ended >= k_after_exit);
  }

  void read_pipes() {
    std::array<pollfd, 2> waiting{m_output.interest(), m_error.interest()};
    const auto tick = m_output.open() || m_error.open() ? k_tick : k_short_tick;
    if (poll(waiting.data(), waiting.size(), static_cast<int>(tick.count())) <= 0) {
      return;
    }
    if (waiting[0].revents != 0) {
      m_output.take();
    }
    if (waiting[1].revents != 0) {
      m_error.take();
    }
  }

  void reap() {
    int status = 0;
    if (m_ended || waitpid(m_pid, &status, WNOHANG) != m_pid) {
      return;
    }
    m_result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    m_ended = system_clock().steady();
  }

  pid_t m_pid;
  Duration m_grace;
  bool m_insisted = false;  ///< SIGTERM was sent again
  Stream m_output, m_error;
  ProcessResult& m_result;
  std::optional<Moment> m_terminated;  ///< when SIGTERM was sent
  std::optional<Moment> m_ended;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                          Duration limit, const StopSource* stop, Duration grace, const ProcessWatch& watch) {
  Pipe output;
  Pipe error;
  ProcessResult result;
  pid_t pid = 0;
  const std::vector<std::string> variables = merged_environment(environment);
  const int failure = SpawnPlan{output, error}.spawn(pid, pointers(arguments), pointers(variables));
  if (failure == ENOENT) {
    result.status = k_not_found;
    return result;
  }
  if (failure != 0) {
    throw Error{ExitCode::failed, fmt::format("cannot start '{}': {}", arguments.front(), error_text(failure))};
  }
  output.write_end.close();
  error.write_end.close();
  Child{pid, output, error, grace, result}.follow(limit, stop, watch);
  return result;
}

void become_process(const std::vector<std::string>& arguments, const std::string& input) {
  const Descriptor text{memfd_create("input", MFD_CLOEXEC)};
  const Descriptor before{fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)};
  if (!text || !before || !write_all(text.number(), input) || lseek(text.number(), 0, SEEK_SET) != 0 ||
      dup2(text.number(), STDIN_FILENO) < 0) {
    return;
  }
  // What we block and ignore, the new program would, too.
  sigset_t none;
  sigset_t blocked;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, &blocked);
  const auto pipe_action = signal(SIGPIPE, SIG_DFL);
  execvp(arguments.front().c_str(), pointers(arguments).data());
  signal(SIGPIPE, pipe_action);
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  dup2(before.number(), STDIN_FILENO);
}

}  // namespace taskctl
