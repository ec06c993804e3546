#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include "base/environment.hpp"
#include "view/streams.hpp"

namespace taskctl {

namespace {

// Once poll() reports room, a pipe takes this much without blocking (PIPE_BUF of Linux), so that a reader who stops
// reading never keeps us from noticing a signal.
constexpr std::size_t k_piece = 4096;
constexpr std::size_t k_out_buffer = 64U << 10U;
constexpr int k_poll_milliseconds = 100;
// What still gets out after the second signal when its reader takes it at once: what was done, and how to undo it; not
// the rest of a long list.
constexpr std::size_t k_after_second_signal = 64U << 10U;

// A closed standard descriptor would be given to the next file or socket that is opened, and our output would go into
// it. Opened the wrong way round, using it fails as if it were closed.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) {
      const int flags = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
      static_cast<void>(::open("/dev/null", flags));
    }
  }
}

// False when a signal came first.
bool wait_for_input(const StopSource* stop) {
  for (;;) {
    if (stop != nullptr && stop->requested()) {
      errno = EINTR;
      return false;
    }
    pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, k_poll_milliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      return true;
    }
  }
}

// False when there was no room before the second signal, and none right after it.
bool wait_for_room(int descriptor, const StopSource* stop) {
  for (;;) {
    const bool urgent = stop != nullptr && stop->urgent();
    pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&wanted, 1, urgent ? 0 : k_poll_milliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      return true;
    }
    if (urgent) {
      errno = EINTR;
      return false;
    }
  }
}

// `left` is how much may still be written after the second signal.
bool write_all(int descriptor, std::string_view text, const StopSource* stop, std::size_t& left) {
  while (!text.empty()) {
    if (!wait_for_room(descriptor, stop)) {
      return false;
    }
    const bool urgent = stop != nullptr && stop->urgent();
    if (urgent && left == 0) {
      errno = EINTR;
      return false;
    }
    const std::size_t size = std::min(text.size(), urgent ? std::min(left, k_piece) : k_piece);
    const ssize_t written = ::write(descriptor, text.data(), size);
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      left -= urgent ? static_cast<std::size_t>(written) : 0;
    } else if (errno != EINTR && errno != EAGAIN) {
      return false;
    }
  }
  return true;
}

/// Lines of standard input, without a stdio buffer that would keep a signal from ending the wait.
class LineReader {
 public:
  explicit LineReader(const StopSource* stop) : m_stop{stop} {}

  std::optional<std::string> next() {
    for (;;) {
      if (const std::size_t end = m_held.find('\n', m_searched); end != std::string::npos) {
        std::string line = m_held.substr(0, end);
        m_held.erase(0, end + 1);
        m_searched = 0;
        return line;
      }
      m_searched = m_held.size();
      if (!fill()) {
        m_searched = 0;
        return m_held.empty() ? std::nullopt : std::optional{std::exchange(m_held, {})};
      }
    }
  }

 private:
  bool fill() {
    for (;;) {
      if (!wait_for_input(m_stop)) {
        m_held.clear();
        return false;
      }
      char piece[k_piece];
      const ssize_t got = ::read(STDIN_FILENO, piece, sizeof piece);
      if (got > 0) {
        m_held.append(piece, static_cast<std::size_t>(got));
        return true;
      }
      if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        return false;
      }
    }
  }

  const StopSource* m_stop;
  std::string m_held;
  std::size_t m_searched = 0;
};

// Columns to fit into; 0 (no limit) when stdout is a file or a pipe.
std::size_t terminal_width(bool out_is_terminal) {
  if (const auto columns = environment("COLUMNS")) {
    std::size_t width = 0;
    const char* end = columns->data() + columns->size();
    if (const auto [rest, error] = std::from_chars(columns->data(), end, width); error == std::errc{} && rest == end) {
      return std::clamp<std::size_t>(width, 20, 10'000);
    }
  }
  winsize size{};
  if (!out_is_terminal) {
    return 0;
  }
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// The first of the variables that is set decides, as in setlocale(); none of them means the C locale.
bool is_utf8_locale() {
  std::optional<std::string> locale = environment("LC_ALL");
  for (const auto& next : {environment("LC_CTYPE"), environment("LANG")}) {
    locale = locale ? locale : next;
  }
  std::string name = locale.value_or("C");
  std::erase(name, '-');
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.find(".utf8") != std::string::npos;
}

}  // namespace

Streams process_streams(const StopSource* stop) {
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  Streams::Options options;
  options.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  options.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  options.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  options.width = terminal_width(options.out_is_terminal);
  options.colour = options.out_is_terminal && !environment("NO_COLOR") && environment("TERM") != "dumb";
  options.utf8 = is_utf8_locale();
  options.out_buffer = options.out_is_terminal ? 0 : k_out_buffer;
  auto reader = std::make_shared<LineReader>(stop);
  return Streams{
      options,
      [stop, left = k_after_second_signal](std::string_view text) mutable {
        return write_all(STDOUT_FILENO, text, stop, left);
      },
      [none = std::size_t{0}](std::string_view text) mutable { return write_all(STDERR_FILENO, text, nullptr, none); },
      [reader] { return reader->next(); }};
}

}  // namespace taskctl
