#include "store/schema_version.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"
#include "contract/store_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

const std::string k_tables =
    "CREATE TABLE versions (n integer); INSERT INTO versions VALUES (3); INSERT INTO versions VALUES (4);";

Profile queue_with(const std::string& version) {
  return parse_profile(k_queue_profile + "\n[version]\n" + version, "queue.toml");
}

SchemaVersion version_of(Engine engine, const std::string& version, const std::string& more = k_tables) {
  StoreScene scene{engine, queue_sql(engine, 1) + more, queue_with(version)};
  return read_schema_version(scene.connection(), scene.profile(), scene.schema());
}

const std::string k_question = "sql = \"(SELECT max(n) FROM versions)\"\n";

}  // namespace

TEST_CASE("a version that the profile names is known and any other is not") {
  const auto engine = GENERATE(from_range(test::engines()));
  const SchemaVersion known = version_of(engine, k_question + "known = [\"3\", \"4\"]");
  CHECK(known.known());
  CHECK(known.text == "4");
  const SchemaVersion unknown = version_of(engine, k_question + "known = [\"3\"]");
  CHECK_FALSE(unknown.known());
  CHECK(unknown.problem == "version '4' is not one of '3'");
  const SchemaVersion silent = version_of(engine, "sql = \"NULL\"\nknown = [\"3\"]");
  CHECK_FALSE(silent.known());
  CHECK_THAT(silent.problem, Contains("does not tell"));
}

TEST_CASE("a profile without a version knows every shape that it fits") {
  const auto engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, queue_sql(engine, 1), parse_profile(k_queue_profile, "queue.toml")};
  CHECK(read_schema_version(scene.connection(), scene.profile(), scene.schema()).known());
}

TEST_CASE("without its table the version is not asked for and the columns decide") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string asked = "table = \"versions\"\n" + k_question + "known = [\"3\"]\n";
  const std::string columns =
      "columns = [\"id\", \"state\", \"started_at\", \"finished_at\", \"note\", \"owner\", \"risky\", \"extra\"]";
  CHECK(version_of(engine, asked + columns, "").known());
  CHECK_FALSE(version_of(engine, asked + columns).known());
  const SchemaVersion grown = version_of(engine, asked + columns, "ALTER TABLE tasks ADD COLUMN lane integer;");
  CHECK_THAT(grown.problem, Contains("tasks'") && Contains("'lane'"));
}

TEST_CASE("an unknown version is refused before anything is written") {
  const Profile profile = queue_with(k_question + "known = [\"3\"]");
  CHECK_NOTHROW(require_known_version({.text = "3", .problem = ""}, profile));
  try {
    require_known_version({.text = "9", .problem = "version '9' is not one of '3'"}, profile);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.message(), Contains("'queue'") && Contains("nothing is written") && Contains("'9'"));
    CHECK_THAT(error.hint(), Contains("taskctl profile show queue"));
  }
}
