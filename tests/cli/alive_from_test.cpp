#include "cli/alive_from.hpp"

#include <fstream>

#include <catch2/catch.hpp>

#include "support/databases.hpp"

using namespace taskctl;
using Catch::Matchers::Contains;

namespace {

AliveList asked(const std::string& source) {
  AliveFrom from{source, system_clock(), nullptr};
  from.ask();
  return *from.list();
}

}  // namespace

TEST_CASE("names stand one a line") {
  CHECK(names_in("  web-1 \r\n\npod/web-2\nworker one\n") ==
        std::set<std::string, std::less<>>{"web-1", "pod/web-2", "web-2", "worker one"});
  CHECK(names_in(" \n\t\n").empty());
}

TEST_CASE("a command tells who is alive") {
  const AliveList list = asked("echo web-1; printf 'web-2'");
  CHECK(list.problem.empty());
  CHECK(list.names == std::set<std::string, std::less<>>{"web-1", "web-2"});
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
  CHECK(list->names == std::set<std::string, std::less<>>{"web-2"});
  std::ofstream{file} << "";
  from.ask();
  CHECK(list->problem == "it names nobody");
}
