#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>

#include "base/stop.hpp"
#include "view/streams.hpp"

using namespace taskctl;

namespace {

/// Puts one end of a pipe in the place of a standard descriptor for the time of a test.
class Redirected {
 public:
  explicit Redirected(int standard) : m_standard{standard}, m_saved{::dup(standard)} {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const bool input = standard == STDIN_FILENO;
    m_other = input ? ends[1] : ends[0];
    const int own = input ? ends[0] : ends[1];
    ::dup2(own, standard);
    ::close(own);
  }
  ~Redirected() {
    ::dup2(m_saved, m_standard);
    ::close(m_saved);
    close_other();
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

  [[nodiscard]] int other() const { return m_other; }
  void close_other() {
    if (m_other >= 0) {
      ::close(m_other);
      m_other = -1;
    }
  }

 private:
  int m_standard;
  int m_saved;
  int m_other = -1;
};

std::string read_some(int descriptor, std::size_t wanted) {
  std::string text(wanted, '\0');
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t piece = ::read(descriptor, text.data() + got, wanted - got);
    if (piece <= 0) {
      break;
    }
    got += static_cast<std::size_t>(piece);
  }
  text.resize(got);
  return text;
}

}  // namespace

TEST_CASE("a large result passes a pipe whole") {
  Redirected out{STDOUT_FILENO};
  const std::string text(300'000, 'x');
  std::string got;
  std::thread reader{[&] { got = read_some(out.other(), text.size()); }};
  Streams streams = process_streams();
  streams.out(text);
  streams.flush();
  reader.join();
  CHECK(got == text);
  CHECK_FALSE(streams.out_lost());
}

TEST_CASE("a reader who leaves is no error and no signal") {
  Redirected out{STDOUT_FILENO};
  out.close_other();
  Streams streams = process_streams();
  streams.line("result");
  streams.flush();
  CHECK(streams.out_lost());
  CHECK(streams.out_problem().empty());
}

TEST_CASE("a reader who stops reading is given up at the second signal") {
  Redirected out{STDOUT_FILENO};
  StopSource stop;
  Streams streams = process_streams(&stop);
  std::thread signals{[&] {
    stop.request(15);
    stop.request(15);
  }};
  streams.out(std::string(1'000'000, 'x'));
  streams.flush();
  signals.join();
  CHECK(streams.out_lost());
}

TEST_CASE("a summary still reaches its reader after the second signal and a long list does not") {
  Redirected out{STDOUT_FILENO};
  StopSource stop;
  Streams streams = process_streams(&stop);
  stop.request(2);
  stop.request(2);
  streams.line("applied 7");
  streams.flush();
  CHECK(read_some(out.other(), 10) == "applied 7\n");
  CHECK_FALSE(streams.out_lost());
  std::string got;
  std::thread reader{[&] { got = read_some(out.other(), 1'000'000); }};
  streams.out(std::string(1'000'000, 'x'));
  streams.flush();
  CHECK(streams.out_lost());
  ::close(STDOUT_FILENO);
  reader.join();
  CHECK(got.size() < 100'000);
}

TEST_CASE("lines of input come one by one and the last needs no newline") {
  Redirected in{STDIN_FILENO};
  const std::string text = "one\n\nthree";
  REQUIRE(::write(in.other(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  in.close_other();
  Streams streams = process_streams();
  CHECK(streams.read_line() == "one");
  CHECK(streams.read_line() == "");
  CHECK(streams.read_line() == "three");
  CHECK_FALSE(streams.read_line());
}

TEST_CASE("waiting for input ends with the first signal") {
  Redirected in{STDIN_FILENO};
  StopSource stop;
  Streams streams = process_streams(&stop);
  std::thread signals{[&] { stop.request(2); }};
  CHECK_FALSE(streams.read_line());
  signals.join();
}

TEST_CASE("the width is unlimited in a pipe unless COLUMNS says otherwise") {
  Redirected out{STDOUT_FILENO};
  ::unsetenv("COLUMNS");
  CHECK(process_streams().options().width == 0);
  ::setenv("COLUMNS", "132", 1);
  CHECK(process_streams().options().width == 132);
  ::setenv("COLUMNS", "wide", 1);
  CHECK(process_streams().options().width == 0);
  ::unsetenv("COLUMNS");
  CHECK_FALSE(process_streams().options().colour);
}

TEST_CASE("a closed stdout is not handed to the next file that is opened") {
  const int saved = ::dup(STDOUT_FILENO);
  ::close(STDOUT_FILENO);
  Streams streams = process_streams();
  const int next = ::open("/dev/null", O_RDONLY);
  streams.line("result");
  streams.flush();
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(next);
  CHECK(next > STDERR_FILENO);
  CHECK(streams.out_problem() == "Bad file descriptor");
}
