#include <catch2/catch.hpp>

#include "contract/repair_scene.hpp"
#include "contract/store_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

/// The queue of the tests with `from` replaced; a test whose `from` is not there is wrong.
Profile queue_with(const std::string& from, const std::string& to) {
  std::string text = k_queue_profile;
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::logic_error{"the queue of the tests has no '" + from + "'"};
  }
  return parse_profile(text.replace(at, from.size(), to), "queue.toml");
}

}  // namespace

TEST_CASE("a time that is worked out is read in its own encoding") {
  const auto engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine, queue_sql(engine, 2) + "UPDATE claims SET since = '2025-06-01 09:30:00' WHERE task_id = 1;",
      queue_with(
          R"(started  = "started_at")",
          R"T(started = { sql = "(SELECT min(c.since) FROM claims c WHERE c.task_id = :task.id)", encoding = "utc" })T")};
  CHECK(scene.fact("1").task.times.started.at == parse_instant("2025-06-01T09:30:00Z", "test"));
  CHECK(scene.fact("2").task.times.started.at == parse_instant("2025-06-01T10:00:00Z", "test"));
}

TEST_CASE("a worked out time that is missing or cannot be read is never old") {
  const auto engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, queue_sql(engine, 2) + "UPDATE tasks SET started_at = 'soon' WHERE id = 2;",
                   queue_with(R"(started  = "started_at")",
                              R"(started = { sql = "CASE WHEN id = 2 THEN started_at END", encoding = "utc" })")};
  CHECK(scene.fact("1").task.times.started.absent());
  CHECK(scene.fact("2").task.times.started.unreadable());
}

TEST_CASE("a worked out time of a native type is read as that type") {
  const std::string base =
      "name    = \"queue\"\nsummary = \"queue of the tests\"\nengines = [\"sqlite\", \"postgres\"]";
  std::string text = k_queue_profile;
  text.replace(text.find(base), base.size(), "name = \"queue\"\nengines = [\"postgres\"]");
  const std::string started = "started  = \"started_at\"";
  text.replace(text.find(started), started.size(),
               "started = { sql = \"started_at::timestamp + interval '90 minutes'\", encoding = \"wall\" }\n"
               "lease = { sql = \"started_at::timestamptz + id * interval '1 hour'\", encoding = \"real\" }");
  text += "\n[encoding.wall]\nformat = \"naive\"\nzone = \"+02:00\"\n[encoding.real]\nformat = \"timestamptz\"\n";
  StoreScene scene{Engine::postgres, queue_sql(Engine::postgres, 2), parse_profile(text, "queue.toml")};
  CHECK(scene.fact("1").task.times.started.at == parse_instant("2025-06-01T09:30:00Z", "test"));
  CHECK(scene.fact("2").task.times.lease.at == parse_instant("2025-06-01T12:00:00Z", "test"));
}

TEST_CASE("the moment of a repair inside of a value is a text in utc with milliseconds") {
  const auto engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, queue_sql(engine, 1), queue_with("note = \":reason\" }", "note = \"'at ' || :now_text\" }")};
  const std::vector<Change> changes = scene.changes(Outcome::failed, "1", "why", "2025-06-01T12:00:00.1239Z");
  CHECK(text_in(changes.front().after, "note") == "at 2025-06-01T12:00:00.123Z");
}
