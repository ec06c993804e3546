#include "base/exit_code.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace taskctl;

TEST_CASE("every exit code has a name of its own and no forbidden number") {
  std::set<std::string_view> names;
  for (const ExitCodeInfo& info : k_exit_codes) {
    const int code = static_cast<int>(info.code);
    CHECK(names.insert(info.name).second);
    CHECK(exit_code_name(code) == info.name);
    CHECK_FALSE(info.meaning.empty());
    CHECK_FALSE((code >= 124 && code <= 127));
  }
  CHECK(exit_code_name(9) == "in-doubt");
  CHECK(exit_code_name(130) == "signal");
  CHECK(exit_code_name(128) == "unknown");
  CHECK(exit_code_name(99) == "unknown");
  CHECK(exit_code_name(-1) == "unknown");
}
