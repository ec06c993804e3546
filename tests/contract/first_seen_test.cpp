#include <fstream>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"
#include "engine/lister.hpp"
#include "engine/observer.hpp"
#include "engine/plan_check.hpp"
#include "engine/profile_choice.hpp"
#include "engine/stats.hpp"
#include "store/sqlite/sighting_file.hpp"
#include "view/plan_file.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

/// A table without any time, and the folder where taskctl notes who was active. The clock of an observation is the
/// test's.
class TimelessScene {
 public:
  explicit TimelessScene(Engine engine, const std::string& more = {}, const std::string& table = "work")
      : m_scene{temp_database(
                    engine, fixture(engine == Engine::sqlite ? "timeless.sqlite.sql" : "timeless.postgres.sql") + more),
                parse_profile(profile_text(table), "timeless.toml"), k_queue_now} {
    m_files = {.read = sqlite_sighting_files().read,
               .write = [this](const SightingPlace& place, const std::function<Instant()>& clock) {
                 return sqlite_sighting_files().write(place, [this, &clock] {
                   clock();
                   std::exchange(m_meanwhile, [] {})();
                   return now() - m_ago;
                 });
               },
               .now = [this] { return now(); }};
    m_place = sighting_place(m_folder.path(), m_scene.connection().server(), m_scene.profile(), 100ms);
    m_sightings = std::make_unique<Sightings>(m_place, m_files);
    m_scene.store().watch(*m_sightings);
    m_scene.policy.max_age = 1h;
  }

  [[nodiscard]] RepairScene& repair() { return m_scene; }
  [[nodiscard]] const SightingPlace& place() const { return m_place; }
  [[nodiscard]] const SightingFiles& files() const { return m_files; }
  [[nodiscard]] Instant now() const { return *m_scene.now; }
  void exec(const std::string& sql) { m_scene.database().exec(sql); }

  /// What happens once, right after an observation has asked for the time.
  void meanwhile(std::function<void()> action) { m_meanwhile = std::move(action); }

  /// As `taskctl observe` so long ago.
  SightingCounts observe(Duration ago, const Selector& selector = {}) {
    m_ago = ago;
    return observe_tasks(m_scene.store(), *m_sightings, selector).counts;
  }
  [[nodiscard]] Judgement judge(const std::string& id) {
    return inspect_task(m_scene.store(), TaskKey{{id}}, m_scene.policy, m_scene.now)->judgement;
  }
  [[nodiscard]] std::optional<Duration> age(const std::string& id) {
    const Judgement judgement = judge(id);
    return judgement.since ? std::optional{now() - *judgement.since} : std::nullopt;
  }

 private:
  static std::string profile_text(const std::string& table) {
    std::ifstream file{std::string{TASKCTL_FIXTURES} + "/timeless.toml"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    return text.replace(text.find("\"work\""), 6, "\"" + table + "\"");
  }

  TempFolder m_folder;
  RepairScene m_scene;
  SightingFiles m_files;
  SightingPlace m_place;
  std::unique_ptr<Sightings> m_sightings;
  Duration m_ago{};
  std::function<void()> m_meanwhile = [] {};
};

}  // namespace

TEST_CASE("first seen - unknown, then young, then old, then repaired") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  RepairScene& repair = scene.repair();
  CHECK(scene.judge("2").finding->rule == Rule::unreadable);
  const Plan nothing = repair.reconcile();
  CHECK(nothing.empty());
  REQUIRE(nothing.warnings.size() == 1);
  CHECK_THAT(nothing.warnings[0], Contains("the age of 3 active tasks is not known") && Contains("taskctl observe"));
  CHECK_FALSE(std::filesystem::exists(scene.place().file));  // reading and planning create nothing

  const SightingCounts first = scene.observe(30min);
  CHECK(first.active == 3);
  CHECK(first.added == 3);
  CHECK(scene.age("2") == 30min);
  CHECK(repair.reconcile().empty());

  TimelessScene old{engine};
  old.observe(3h);
  CHECK(old.observe(5min).added == 0);  // what is as it was keeps its time
  CHECK(old.age("2") == 3h);
  const Plan plan = old.repair().reconcile();
  CHECK(tasks_of(plan) == std::vector<std::string>{"2", "3", "4"});
  const ApplyResult result = old.repair().apply(plan);
  CHECK(result.run.applied == 3);
  CHECK(old.repair().database().value("SELECT note FROM work WHERE id = 2") ==
        "ended as stuck: running for at least 3h without an end (overdue)");
}

TEST_CASE("first seen - a task that begins while others are looked at is not older than it is") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine, engine == Engine::sqlite ? "; PRAGMA journal_mode = WAL" : ""};
  scene.meanwhile([&scene] { scene.exec("UPDATE work SET state = 'running' WHERE id = 5"); });
  CHECK(scene.observe(3h).active == 3);
  CHECK(scene.age("2") == 3h);
  CHECK_FALSE(scene.age("5"));
}

TEST_CASE("first seen - listing, show and stats agree") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  scene.exec("UPDATE work SET note = 'x' WHERE id = 3");
  scene.observe(10min);
  const ListRequest request{.selector = {}, .policy = scene.repair().policy, .now = scene.now()};
  const Listing listing = list_stuck(scene.repair().store(), request);
  CHECK(listing.summary.stuck == 2);
  CHECK(listing.summary.fine == 1);
  const Stats stats = collect_stats(scene.repair().store(), {.policy = scene.repair().policy, .now = scene.now()});
  CHECK(stats.findings.stuck == 2);
  CHECK(stats.active.ages.unknown == 0);
  CHECK(scene.age("2") == 3h);
  CHECK(scene.age("3") == 10min);
}

TEST_CASE("first seen - a row that changed counts anew, and until then its age is unknown") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  scene.exec("UPDATE work SET note = 'half way' WHERE id = 2");
  CHECK_FALSE(scene.age("2"));
  CHECK(scene.judge("2").finding->rule == Rule::unreadable);
  const SightingCounts again = scene.observe(20min);
  CHECK(again.changed == 1);
  CHECK(again.added == 0);
  CHECK(scene.age("2") == 20min);
  CHECK(scene.age("3") == 3h);
}

TEST_CASE("first seen - who is not active any more is forgotten") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  scene.exec("UPDATE work SET state = 'waiting' WHERE id = 2; DELETE FROM work WHERE id = 3");
  const SightingCounts gone = scene.observe(2h);
  CHECK(gone.active == 1);
  CHECK(gone.forgotten == 2);
  scene.exec(
      "UPDATE work SET state = 'running' WHERE id = 2; INSERT INTO work VALUES (3, 'running', 'mail', 'web-2', NULL)");
  CHECK_FALSE(scene.age("2"));
  CHECK(scene.observe(10min).added == 2);
  CHECK(scene.age("2") == 10min);
  CHECK(scene.age("3") == 10min);
  CHECK(scene.age("4") == 3h);
}

// Between two looks nobody sees it; PostgreSQL gives every write another version of the row.
TEST_CASE("first seen - put back and taken again unseen is noticed where rows have versions") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  scene.exec("UPDATE work SET state = 'waiting' WHERE id = 2");
  scene.exec("UPDATE work SET state = 'running' WHERE id = 2");
  CHECK(scene.age("2").has_value() == (engine == Engine::sqlite));
  CHECK(scene.observe(10min).changed == (engine == Engine::sqlite ? 0 : 1));
}

TEST_CASE("first seen - locking a row changes nothing") {
  TimelessScene scene{Engine::postgres};
  scene.observe(3h);
  scene.exec("BEGIN; SELECT * FROM work FOR UPDATE; SELECT * FROM work FOR KEY SHARE; COMMIT");
  scene.exec("BEGIN; UPDATE work SET note = 'x'; ROLLBACK");
  CHECK(scene.observe(5min).changed == 0);
  CHECK(scene.age("2") == 3h);
}

TEST_CASE("first seen - without versions of rows all columns tell a change") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine, "CREATE VIEW work_view AS SELECT * FROM work;", "work_view"};
  scene.observe(3h);
  CHECK(scene.age("2") == 3h);
  scene.exec("UPDATE work SET note = note WHERE id = 2");
  CHECK(scene.age("2") == 3h);
  scene.exec("UPDATE work SET note = '' WHERE id = 2");
  CHECK_FALSE(scene.age("2"));
}

TEST_CASE("first seen - a partitioned table has versions too") {
  TimelessScene scene{Engine::postgres,
                      "CREATE TABLE parted (LIKE work, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
                      "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (100);"
                      "INSERT INTO parted SELECT * FROM work;",
                      "parted"};
  scene.observe(3h);
  CHECK(scene.age("2") == 3h);
  scene.exec("UPDATE parted SET note = note WHERE id = 2");
  CHECK_FALSE(scene.age("2"));
}

TEST_CASE("first seen - a row that somebody changes between plan and run has moved on") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  const Plan plan = scene.repair().reconcile();
  REQUIRE(plan.size() == 3);
  scene.exec("UPDATE work SET note = 'alive' WHERE id = 2; UPDATE work SET host = 'web-9' WHERE id = 3");
  const ApplyResult result = scene.repair().apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.moved_on == 2);
  CHECK(result.run.conflicts == 0);
  CHECK_THAT(report_on(result, "2").detail, Contains("is now 'unreadable' instead of 'overdue'"));
  CHECK(scene.repair().database().value("SELECT state FROM work WHERE id = 2") == "running");
  CHECK(scene.repair().database().value("SELECT state FROM work WHERE id = 4") == "failed");
}

TEST_CASE("first seen - a saved plan knows since when, whatever is noted where it is applied") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  const TempFolder folder;
  PlanFileInfo info;
  write_plan_file(folder.path() / "plan", scene.repair().reconcile(), info);
  const Plan plan = read_plan_file(folder.path() / "plan").plan;
  std::filesystem::remove(scene.place().file);
  Sightings nothing{scene.place(), scene.files()};
  scene.repair().store().watch(nothing);
  CHECK_FALSE(scene.age("2"));
  CHECK(check_plan(scene.repair().store(), plan).all_fresh());
  scene.exec("UPDATE work SET note = 'alive' WHERE id = 2");
  CHECK(check_plan(scene.repair().store(), plan).count(Freshness::moved_on) == 1);
  const ApplyResult result = scene.repair().apply(plan);
  CHECK(result.run.applied == 2);
  CHECK(result.run.moved_on == 1);
}

TEST_CASE("first seen - with a selector tasks are only added") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  scene.exec("UPDATE work SET state = 'done' WHERE id = 3");
  scene.exec("UPDATE work SET state = 'running' WHERE id = 5");
  Selector selector;
  selector.kinds = {"mail"};
  const SightingCounts some = scene.observe(1h, selector);
  CHECK(some.active == 1);
  CHECK(some.added == 1);
  CHECK(some.forgotten == 0);
  CHECK(scene.age("2") == 3h);
  CHECK(scene.age("5") == 1h);
  selector = {};
  selector.ids = {"4"};
  CHECK(scene.observe(1h, selector).active == 1);
  CHECK(scene.observe(1h).forgotten == 1);
}

TEST_CASE("first seen - what cannot be read is unknown and said, never an error") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  std::ofstream{scene.place().file, std::ios::trunc} << "this is no database, and long enough to be looked at as one";
  CHECK_FALSE(scene.age("2"));
  const ListRequest request{.selector = {}, .policy = scene.repair().policy, .now = scene.now()};
  const Listing listing = list_stuck(scene.repair().store(), request);
  CHECK(listing.summary.unreadable == 3);
  CHECK(scene.repair().reconcile().warnings == listing.warnings);
  REQUIRE(listing.warnings.size() == 1);
  CHECK_THAT(listing.warnings[0], Contains("when tasks were first seen is not known") && Contains("taskctl observe"));
  CHECK(scene.repair().reconcile().empty());
}

TEST_CASE("first seen - a check of the profile says where ages come from, and counts by them") {
  const auto engine = GENERATE(from_range(test::engines()));
  TimelessScene scene{engine};
  scene.observe(3h);
  const ListRequest request{.selector = {}, .policy = scene.repair().policy, .now = scene.now()};
  Sightings sightings{scene.place(), scene.files()};
  const ProfileCheck check = check_profile(scene.repair().connection(), scene.repair().profile(), request, &sightings);
  CHECK(check.problems.empty());
  CHECK(check.found->stuck == 3);
  CHECK(std::ranges::any_of(check.readings, [](const auto& reading) { return reading.property == "first seen"; }));
}

TEST_CASE("first seen - a database is the same wherever it is reached from") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database =
      temp_database(engine, fixture(engine == Engine::sqlite ? "timeless.sqlite.sql" : "timeless.postgres.sql"));
  const auto one = database->open(Access::read);
  const auto other = database->open(Access::write);
  CHECK(one->server().database_identity == other->server().database_identity);
  CHECK(one->server().database_identity.find('@') == std::string::npos);
}
