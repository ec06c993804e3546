#include "cli/alive_from.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "support/databases.hpp"

using namespace taskctl;
using Catch::Matchers::Contains;

namespace {

using Names = std::set<std::string, std::less<>>;

AliveList asked(const std::string& source, Duration patience = std::chrono::seconds{30},
                const StopSource* stop = nullptr) {
  AliveFrom from{source, system_clock(), stop, patience};
  from.ask();
  return *from.list();
}

/// Time passes when the test says so.
class HandClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return {}; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return m_steady; }
  void pass(Duration length) { m_steady += length; }

 private:
  std::chrono::steady_clock::time_point m_steady{};
};

}  // namespace

TEST_CASE("names stand one a line") {
  CHECK(names_in("  web-1 \r\n\npod/web-2\nworker one\n") == Names{"web-1", "pod/web-2", "web-2", "worker one"});
  CHECK(names_in(" \n\t\n").empty());
}

TEST_CASE("a command tells who is alive") {
  const AliveList list = asked("echo web-1; printf 'web-2'");
  CHECK(list.problem.empty());
  CHECK(list.names == Names{"web-1", "web-2"});
}

TEST_CASE("a command that fails or says nothing tells nothing") {
  CHECK_THAT(asked("echo web-1; echo no cluster >&2; exit 3").problem, Contains("ended with 3: no cluster"));
  CHECK(asked("echo web-1; exit 3").names.empty());
  CHECK(asked("true").problem == "it names nobody");
  CHECK_THAT(asked("no-such-command-here").problem, Contains("ended with 127"));
  CHECK_THAT(asked("yes worker | head -c 2000000").problem, Contains("longer than 1 MiB"));
}

TEST_CASE("a file tells who is alive and is read again") {
  const test::TempFolder folder;
  const std::string file = folder.path() / "alive";
  std::ofstream{file} << "web-1\n";
  AliveFrom from{file, system_clock(), nullptr};
  const std::shared_ptr<const AliveList> list = from.list();
  from.ask();
  CHECK(list->names.contains("web-1"));
  std::ofstream{file} << "web-2\n";
  from.ask_when_old();
  CHECK(list->names.contains("web-1"));  // asked a moment ago
  from.ask();
  CHECK(list->names == Names{"web-2"});
  std::ofstream{file} << "";
  from.ask();
  CHECK(list->problem == "it names nobody");
}

TEST_CASE("a command that does not end in time tells nothing and is ended with all it started") {
  const test::TempFolder folder;
  const std::string file = folder.path() / "child";
  const auto begin = std::chrono::steady_clock::now();
  const AliveList list =
      asked("echo web-1; sleep 60 & echo $! > " + file + "; sleep 60", std::chrono::milliseconds{200});
  CHECK(list.problem == "it did not end within 200ms");
  CHECK(list.names.empty());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{20});
  std::string child;
  std::ifstream{file} >> child;
  REQUIRE_FALSE(child.empty());
  std::string state;
  std::ifstream{"/proc/" + child + "/stat"} >> child >> state >> state;
  CHECK((state.empty() || state == "Z"));
}

TEST_CASE("an answer without an end is cut off and counts for nothing") {
  CHECK_THAT(asked("yes worker", std::chrono::seconds{1}).problem, Contains("it did not end within 1s"));
}

TEST_CASE("what a command leaves behind counts when it holds the output and not otherwise") {
  const AliveList held = asked("{ sleep 5; echo web-2; } & echo web-1");
  CHECK_THAT(held.problem, Contains("left its output open"));
  CHECK(held.names.empty());
  CHECK(asked("sleep 5 >/dev/null 2>&1 & echo web-1").names == Names{"web-1"});
  CHECK(asked("sleep 5 >/dev/null & echo web-1").names == Names{"web-1"});
}

TEST_CASE("a stop ends the command and leaves nobody known") {
  StopSource stop;
  stop.request(SIGTERM);
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(asked("echo web-1; sleep 60", std::chrono::seconds{30}, &stop).problem.empty());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{20});
}

TEST_CASE("a command is asked again when its answer is older than 5 s and not before") {
  const test::TempFolder folder;
  const std::string file = folder.path() / "asked";
  HandClock clock;
  AliveFrom from{"echo x >> " + file + "; [ $(wc -l < " + file + ") -lt 3 ] && echo web-1", clock, nullptr};
  const auto times = [&file] {
    std::ifstream lines{file};
    return std::count(std::istreambuf_iterator<char>{lines}, {}, '\n');
  };
  from.ask();
  clock.pass(std::chrono::seconds{5});
  from.ask_when_old();
  CHECK(times() == 1);
  clock.pass(std::chrono::milliseconds{1});
  from.ask_when_old();
  CHECK(times() == 2);
  CHECK(from.list()->names == Names{"web-1"});
  clock.pass(std::chrono::seconds{6});
  from.ask_when_old();
  CHECK(times() == 3);
  CHECK(from.list()->problem == "it ended with 1");
  CHECK(from.list()->names.empty());
  // It answers again: what it says counts again.
  std::ofstream{file} << "";
  clock.pass(std::chrono::seconds{6});
  from.ask_when_old();
  CHECK(from.list()->problem.empty());
}
