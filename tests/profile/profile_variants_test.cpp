#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "profile/profile_name.hpp"
#include "profile/profile_reader.hpp"
#include "refusal.hpp"

using namespace taskctl;
using namespace taskctl::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// The sample with a parameter in the name of its table, and two variants of it.
std::string sample() {
  std::string text = sample_with("[task]\ntable  = \"jobs\"", R"([parameters]
prefix = "my"

[[variant]]
name    = "old"
engines = ["sqlite"]
[variant.task]
kind = "job_class"

[[variant]]
name = "new"
[[variant.class]]
column = "status"
active = ["running"]

[task]
table  = "{prefix}_jobs")");
  const std::size_t at = text.find("[times.jobs]");
  return text.replace(at, 12, "[times.\"{prefix}_jobs\"]");
}

std::string refusal_of(const std::string& text, const ProfileParameters& parameters = {}) {
  try {
    (void)parse_profiles(text, "queue.toml", parameters);
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::usage);
    return e.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a variant is the profile with what is different in it") {
  const std::vector<Profile> profiles = parse_profiles(sample(), "queue.toml");
  REQUIRE(profiles.size() == 2);
  const Profile& old = profiles[0];
  CHECK(old.title() == "sample old");
  CHECK(old.engines == std::set{Engine::sqlite});
  CHECK(old.kind.column == "job_class");
  CHECK(old.worker.column == "worker_id");
  CHECK(old.classes.front().values.size() == 4);
  const Profile& newer = profiles[1];
  CHECK(newer.variant == "new");
  CHECK(newer.engines.size() == 2);
  CHECK(newer.kind.kind == Attribute::Kind::sql);
  REQUIRE(newer.classes.size() == 1);
  CHECK(newer.classes.front().values.size() == 1);
  CHECK(old.hash != newer.hash);
}

TEST_CASE("a mistake in a variant is shown where it stands") {
  std::string text = sample();
  text.replace(text.find("kind = \"job_class\""), 18, "kinds = \"x\"       ");
  CHECK_THAT(refusal_of(text), StartsWith("queue.toml:13:1: key 'variant[1].task.kinds': unknown key"));
  text = sample();
  text.replace(text.find("name = \"new\""), 12, "name = \"old\"");
  CHECK_THAT(refusal_of(text), Contains("'old' stands twice"));
}

TEST_CASE("a parameter stands in names, in keys and in sql") {
  CHECK(parse_profiles(sample(), "queue.toml").front().table == "my_jobs");
  const Profile other = parse_profiles(sample(), "queue.toml", {{"prefix", "app"}}).front();
  CHECK(other.table == "app_jobs");
  CHECK(other.encoding_of("app_jobs", "started_at") != nullptr);
  CHECK(other.hash != parse_profiles(sample(), "queue.toml").front().hash);
}

TEST_CASE("a parameter that the profile does not have is refused") {
  CHECK(refusal_of(sample(), {{"schema", "app"}}) == "profile 'sample' has no parameter 'schema'");
  CHECK(refusal_of(std::string{k_sample_profile}, {{"schema", "app"}}) == "profile 'sample' has no parameter 'schema'");
  std::string text = sample();
  text.replace(text.find("prefix = \"my\""), 13, "prefix = \"m.y\"");
  CHECK_THAT(refusal_of(text), Contains("'m.y' cannot stand in the name of a table"));
  text = sample();
  text.replace(text.find("prefix = \"my\""), 13, "tasks  = \"my\"");
  CHECK_THAT(refusal_of(text), Contains("'tasks' cannot be the name of a parameter"));
}

TEST_CASE("the name of a profile carries its parameters") {
  const auto check = [](const std::string& text, const std::string& name, const ProfileParameters& parameters,
                        bool path) {
    INFO(text);
    const ProfileName parsed = parse_profile_name(text);
    CHECK(parsed.name == name);
    CHECK(parsed.parameters == parameters);
    CHECK(parsed.is_path() == path);
  };
  check("pg-boss", "pg-boss", {}, false);
  check("pg-boss:schema=jobs", "pg-boss", {{"schema", "jobs"}}, false);
  check("x:schema=a,prefix=b_1", "x", {{"schema", "a"}, {"prefix", "b_1"}}, false);
  check("queue.toml:schema=a", "queue.toml", {{"schema", "a"}}, true);
  check("./a:b/queue.toml", "./a:b/queue.toml", {}, true);
  check("./a:b=c/queue.toml:schema=a", "./a:b=c/queue.toml", {{"schema", "a"}}, true);
  check("a:b", "a:b", {}, false);
  check(":schema=a", ":schema=a", {}, false);
  check("x:schema=a,", "x:schema=a,", {}, false);
  for (const char* bad : {"x:schema=", "x:schema=a b", "x:schema=a\"", "x:schema=a.b", "x:schema=a;b"}) {
    INFO(bad);
    CHECK_THROWS_WITH(parse_profile_name(bad), Contains("cannot be the parameter 'schema'"));
  }
  CHECK_THROWS_WITH(parse_profile_name("x:schema=" + std::string(64, 'a')), Contains("cannot be the parameter"));
}

TEST_CASE("a profile whose outline nobody wants is not read any further") {
  std::vector<ProfileOutline> seen;
  const auto note = [&seen](bool answer) {
    return [&seen, answer](const ProfileOutline& outline) {
      seen.push_back(outline);
      return answer;
    };
  };
  CHECK(parse_profiles(sample(), "queue.toml", {{"prefix", "your"}}, note(false)).empty());
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].engines == std::set{Engine::sqlite});
  CHECK(seen[1].engines.size() == 2);
  CHECK(seen[0].table == "your_jobs");
  CHECK(seen[1].table == "your_jobs");
  CHECK(parse_profiles(sample(), "queue.toml", {}, note(true)).size() == 2);
  for (const std::string& name : builtin_profile_names()) {
    for (const Profile& profile : find_profiles(name)) {
      const auto is_this = [&](const ProfileOutline& o) {
        return o.engines == profile.engines && o.table == profile.table;
      };
      CHECK_FALSE(builtin_profiles(name, is_this).empty());
    }
  }
}
