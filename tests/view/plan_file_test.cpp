#include "view/plan_file.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "support/databases.hpp"
#include "view/plan_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// Not write_file_durably(): thousands of files need not survive a crash.
void put(const std::filesystem::path& path, const std::string& text) {
  std::ofstream{path, std::ios::binary} << text;
}

std::string written(const std::filesystem::path& path, const Plan& plan) {
  PlanFileInfo info = sample_info();
  write_plan_file(path, plan, info);
  return read_file(path);
}

/// How reading this text ends: ok, or the code of its error. Anything else that is thrown fails the test.
ExitCode code_of(const std::filesystem::path& path, const std::string& text) {
  put(path, text);
  try {
    static_cast<void>(read_plan_file(path));
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::ok;
}

std::string message_of(const std::filesystem::path& path, const std::string& text) {
  put(path, text);
  try {
    static_cast<void>(read_plan_file(path));
  } catch (const Error& error) {
    return error.message() + " | " + error.hint();
  }
  return {};
}

/// The text with a digest that fits it: edited on purpose.
std::string sealed(std::string text) {
  text.erase(text.rfind("{\"sha256\""));
  return text + "{\"sha256\":\"" + sha256(text) + "\"}\n";
}

}  // namespace

TEST_CASE("a plan comes back from its file bit for bit") {
  const TempFolder folder;
  const Plan plan = full_plan();
  PlanFileInfo info = sample_info();
  write_plan_file(folder.path() / "p", plan, info);
  const SavedPlan saved = read_plan_file(folder.path() / "p");
  CHECK(saved.plan.hash() == plan.hash());
  REQUIRE(saved.plan.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(encode_unit(saved.plan.unit(i)) == encode_unit(plan.unit(i)));
  }
  CHECK(saved.plan.tables() == plan.tables());
  CHECK(saved.plan.batch_end(0, 1) == 2);
  CHECK(saved.plan.left_out.size() == 2);
  CHECK(encode_left_out(saved.plan.left_out[0]) == encode_left_out(plan.left_out[0]));
  CHECK_FALSE(saved.plan.left_out[1].finding);
  CHECK(saved.info.written_by == info.written_by);
  CHECK(saved.info.target == info.target);
  CHECK(saved.info.journal == info.journal);
  CHECK(saved.info.created == info.created);
  CHECK(saved.info.expires == info.expires);
  CHECK(saved.info.sha256 == info.sha256);
}

TEST_CASE("every field of a plan is part of its file and of its hash") {
  const TempFolder folder;
  const std::string path = folder.path() / "p";
  const auto changed = [&](const std::function<void(Plan&)>& edit) {
    Plan plan = full_plan(1);
    edit(plan);
    std::filesystem::remove(path);
    PlanFileInfo info = sample_info();
    write_plan_file(path, plan, info);
    CHECK(read_plan_file(path).plan.hash() == plan.hash());
    return plan.hash();
  };
  const std::string same = changed([](Plan&) {});
  CHECK(changed([](Plan& plan) { plan.force = true; }) != same);
  CHECK(changed([](Plan& plan) { plan.given_now.reset(); }) != same);
  CHECK(changed([](Plan& plan) { plan.undoes = "run"; }) != same);
  CHECK(changed([](Plan& plan) { plan.policy.outcome = Outcome::parked; }) != same);
  CHECK(changed([](Plan& plan) { plan.policy.overdue = Outcome::released; }) != same);
  CHECK(changed([](Plan& plan) { plan.policy.settle = Duration{-5}; }) != same);
  CHECK(changed([](Plan& plan) { plan.selector.ids = {"1"}; }) != same);
  CHECK(changed([](Plan& plan) { plan.selector.workers = {"w"}; }) != same);
  CHECK(changed([](Plan& plan) { plan.selector.statuses = {"s"}; }) != same);
  CHECK(changed([](Plan& plan) { plan.command = "cancel"; }) != same);
}

TEST_CASE("a plan without tasks and an undo without findings have files too") {
  const TempFolder folder;
  Plan plan = full_plan(0);
  plan.command = "undo";
  CHECK(code_of(folder.path() / "q", written(folder.path() / "p", plan)) == ExitCode::ok);
  PlanUnit unit = full_unit("1");
  unit.finding.reset();
  plan.append(unit);
  CHECK(code_of(folder.path() / "q", written(folder.path() / "r", plan)) == ExitCode::ok);
}

TEST_CASE("every changed byte of a plan is found") {
  const TempFolder folder;
  const std::string text = written(folder.path() / "p", full_plan(1));
  const auto path = folder.path() / "q";
  REQUIRE(code_of(path, text) == ExitCode::ok);
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string edited = text;
    edited[i] = static_cast<char>(edited[i] ^ (1 << i % 8));
    accepted += code_of(path, edited) == ExitCode::stale ? 0U : 1U;
  }
  CHECK(accepted == 0);
}

TEST_CASE("every removed or added byte of a plan is found, and every end too early") {
  const TempFolder folder;
  const std::string text = written(folder.path() / "p", full_plan(1));
  const auto path = folder.path() / "q";
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string without = text;
    without.erase(i, 1);
    std::string with = text;
    with.insert(i, 1, i % 2 == 0 ? ' ' : '\n');
    for (const std::string& edited : {without, with, text.substr(0, i)}) {
      accepted += code_of(path, edited) == ExitCode::stale ? 0U : 1U;
    }
  }
  CHECK(accepted == 0);
  CHECK(code_of(path, text + "\n") == ExitCode::stale);
  CHECK(code_of(path, text + text) == ExitCode::stale);
  CHECK_THAT(message_of(path, text.substr(0, text.size() - 1)), Contains("cut off"));
}

TEST_CASE("what is no plan says so, and a newer one says which taskctl reads it") {
  const TempFolder folder;
  const auto path = folder.path() / "q";
  CHECK(code_of(path, "") == ExitCode::stale);
  CHECK_THAT(message_of(path, "hello\n"), Contains("is not a saved plan"));
  CHECK_THAT(message_of(path, "{\"schema\":\"taskctl.reconcile/1\"}\n"), Contains("is not a saved plan"));
  const std::string newer = message_of(path, "{\"schema\":\"taskctl.plan/2\",\"taskctl\":\"9.1.0\"}\nwhatever");
  CHECK_THAT(newer, Contains("'taskctl.plan/2'") && Contains("Use taskctl 9.1.0 or newer"));
  CHECK(code_of(path, "{\"schema\":\"taskctl.plan/2\"}\n") == ExitCode::stale);
  CHECK_THROWS_AS(read_plan_file(folder.path() / "none"), Error);
  try {
    static_cast<void>(read_plan_file(folder.path()));
    FAIL("a folder was read");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
  }
}

TEST_CASE("a plan is written once and belongs to its owner") {
  const TempFolder folder;
  const auto path = folder.path() / "p";
  const std::string text = written(path, full_plan(1));
  PlanFileInfo info = sample_info();
  CHECK_THROWS_AS(write_plan_file(path, full_plan(1), info), Error);
  CHECK(read_file(path) == text);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a plan has its time by this machine's clock") {
  const PlanFileInfo info = sample_info();
  using namespace std::chrono_literals;
  CHECK_NOTHROW(require_unexpired(info, info.created));
  CHECK_NOTHROW(require_unexpired(info, info.expires - 1us));
  CHECK_NOTHROW(require_unexpired(info, info.created - 59s));
  CHECK_THROWS_WITH(require_unexpired(info, info.expires), Contains("expired 0s ago"));
  CHECK_THROWS_WITH(require_unexpired(info, info.expires + 25h), Contains("expired 25h"));
  CHECK_THROWS_WITH(require_unexpired(info, info.created - 2min), Contains("this machine's clock says"));
}

TEST_CASE("mangled plans, sealed again or not, are refused or read, and nothing else happens") {
  const TempFolder folder;
  const std::string text = written(folder.path() / "p", full_plan());
  const auto path = folder.path() / "q";
  std::mt19937 random{20251119};
  const auto below = [&random](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
  };
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           "\"",
                                           "null",
                                           "-1",
                                           "1e999",
                                           "\\u0000",
                                           "\n",
                                           "18446744073709551615",
                                           "{\"text\":\"f\"}",
                                           "\xff",
                                           "true",
                                           "\"id\":"};
  std::size_t read = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string edited = text;
    for (std::size_t edits = 1 + below(3); edits > 0; --edits) {
      const std::size_t at = below(edited.size());
      const std::size_t length = std::min(below(40), edited.size() - at);
      switch (below(3)) {
        case 0:
          edited.replace(at, length, pieces[below(pieces.size())]);
          break;
        case 1:
          edited.erase(at, length);
          break;
        default:
          edited.insert(at, edited.substr(below(edited.size()), length));
      }
    }
    if (edited == text) {
      continue;
    }
    const bool seal = edited.rfind("{\"sha256\"") != std::string::npos && i % 4 != 0;
    const ExitCode code = code_of(path, seal ? sealed(edited) : edited);
    REQUIRE((code == ExitCode::stale || (seal && code == ExitCode::ok)));
    read += code == ExitCode::ok ? 1U : 0U;
  }
  CHECK(read < 200);  // the hash of the plan itself stands in the header
}
