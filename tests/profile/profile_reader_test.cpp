#include <filesystem>
#include <fstream>

#include <unistd.h>
#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "refusal.hpp"

using namespace taskctl;
using namespace taskctl::testing;
using namespace std::chrono_literals;

namespace {

Profile parse_with(std::string_view from, std::string_view to) {
  return parse_profile(sample_with(from, to), "queue.toml");
}

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() : m_path{std::filesystem::temp_directory_path() / ("taskctl-profile-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(m_path);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    std::ofstream{m_path / name, std::ios::binary} << content;
    return m_path / name;
  }

 private:
  std::filesystem::path m_path;
};

}  // namespace

TEST_CASE("sample - every part is read") {
  const Profile profile = parse_profile(k_sample_profile, "queue.toml");
  CHECK(profile.file == "queue.toml");
  CHECK(profile.summary.empty());
  CHECK(profile.kind.kind == Attribute::Kind::sql);
  CHECK(profile.kind.sql->sql() == "lower(kind)");
  CHECK(profile.error.kind == Attribute::Kind::lookup);
  CHECK(profile.error.where.line == 12);
  CHECK(profile.liveness[0].timeout == 10s);
  CHECK(profile.liveness[1].kind == LivenessSource::Kind::heartbeat);
  CHECK(profile.liveness[1].timeout == 1min);
  CHECK(profile.liveness[3].name == "sql");
  CHECK(profile.liveness[3].verdict->pieces()[1].text == "worker");
  CHECK(profile.classes[0].null_is == TaskClass::queued);
  CHECK(profile.policy.max_age == 2h);
  CHECK_FALSE(profile.policy.reap.has_value());
  CHECK_FALSE(profile.policy.queued_max_age.has_value());
  CHECK(profile.policy.cancel_grace == 5min);
  CHECK(profile.reasons.at("dead") == "worker is gone");
}

TEST_CASE("sample - the three ways to name encodings") {
  const Profile profile = parse_profile(k_sample_profile, "queue.toml");
  const ColumnEncoding* one = profile.encoding_of("jobs", "created_at");
  CHECK(one->read.size() == 1);
  CHECK(one->write.name == "utc");
  const ColumnEncoding* list = profile.encoding_of("jobs", "ended_at");
  CHECK(list->read.size() == 2);
  CHECK(list->read[1].name == "ms");
  CHECK(list->write.name == "utc");
  const ColumnEncoding* pair = profile.encoding_of("jobs", "lease_until");
  CHECK(pair->read.size() == 1);
  CHECK(pair->write.format == TimeFormat::unix_ms);
}

TEST_CASE("reader - operations keep the order of the file") {
  const Profile profile = parse_with("set = { status = \"'ok'\" }", "set = { zz = \"1\", aa = \"2\", mm = \"3\" }");
  const OperationSpec& operation = profile.outcomes.at(Outcome::succeeded)[0];
  CHECK(operation.set[0].first == "zz");
  CHECK(operation.set[1].first == "aa");
  CHECK(operation.set[2].first == "mm");
  CHECK(operation.where.line == 107);
}

TEST_CASE("reader - integer statuses stay integers") {
  const Profile profile =
      parse_with("queued    = [\"new\"]\nactive    = [\"busy\"]\nsucceeded = [\"ok\"]\nfailed    = [\"bad\"]",
                 "queued = [0]\nactive = [1, 2]\nfailed = [-1]");
  REQUIRE(profile.classes[0].values.size() == 4);
  CHECK(profile.classes[0].values[3].text == "-1");
  CHECK(profile.classes[0].values[3].is_number);
  CHECK(profile.classes[0].values[3].task_class == TaskClass::failed);
}

TEST_CASE("reader - a table with a schema stands in quotes below times") {
  std::string text = sample_with("[times.workers]", "[times.\"ops.workers\"]");
  const std::string from = "table     = \"workers\"";
  text.replace(text.find(from), from.size(), "table     = \"ops.workers\"");
  const Profile profile = parse_profile(text, "queue.toml");
  CHECK(profile.liveness[2].table == "ops.workers");
  CHECK(profile.encoding_of("ops.workers", "seen_at") != nullptr);
}

TEST_CASE("reader - requests to cancel in columns of the task") {
  const Profile profile =
      parse_with("table     = \"cancels\"\nmatch     = { job_id = \"id\" }\nrequested = \"asked_at\"",
                 "requested = \"started_at\"\nreason = \"note\"");
  REQUIRE(profile.cancel_request.has_value());
  CHECK(profile.cancel_request->table.empty());
  CHECK(profile.cancel_request->match.empty());
  CHECK(profile.cancel_request->requested == "started_at");
  CHECK(profile.cancel_request->reason == "note");
}

TEST_CASE("reader - an insert takes its own values and those of the match") {
  const Profile profile =
      parse_with("do    = \"delete\"\ntable = \"cancels\"",
                 "do    = \"insert\"\ntable = \"cancels\"\nset = { reason = \":reason\", asked_at = \":now\" }");
  const OperationSpec& insert = profile.outcomes.at(Outcome::failed)[1];
  CHECK(insert.kind == OperationSpec::Kind::insert);
  CHECK(insert.table == "cancels");
  CHECK(insert.match == Match{{"job_id", "id"}});
  CHECK(insert.set.size() == 2);
}

TEST_CASE("reader - a read-only profile needs no operations") {
  std::string text = sample_with("safety  = \"full\"", "safety  = \"read-only\"");
  text.resize(text.find("[[outcome.failed.op]]"));
  const Profile profile = parse_profile(text, "queue.toml");
  CHECK(profile.safety == Safety::read_only);
  CHECK(profile.defaults.at("dead") == Outcome::failed);
  CHECK(profile.outcomes.empty());
}

TEST_CASE("reader - a release-only profile may give up a claim and nothing else") {
  std::string text = sample_with("safety  = \"full\"", "safety  = \"release-only\"");
  text.resize(text.find("[[outcome.failed.op]]"));
  CHECK_THAT(refusal(text).message, Catch::Contains("'succeeded' goes further than a release-only profile may"));
  const std::size_t evidence = text.find("[[evidence]]");
  text.erase(evidence, text.find("[[hazard]]") - evidence);
  text.replace(text.find("dead = \"failed\""), 15, "dead = \"requeued\"");
  text += "[[outcome.requeued.op]]\ndo = \"update\"\nset = { status = \"'new'\", worker_id = \"NULL\" }\n";
  CHECK(parse_profile(text, "queue.toml").outcomes.contains(Outcome::requeued));
  text += "[[outcome.cancelled.op]]\ndo = \"update\"\nset = { status = \"'bad'\" }\n";
  CHECK_THAT(refusal(text).message, Catch::Contains("'cancelled' goes further"));
}

TEST_CASE("reader - hints name the nearest") {
  CHECK(refusal(sample_with("[thresholds]", "[treshold]")).hint == "Did you mean 'thresholds'?");
  CHECK(refusal(sample_with("[times.workers]", "[times.worker]")).hint == "Did you mean 'workers'?");
  CHECK_THAT(refusal(sample_with("[times.workers]", "[times.ops.workers]")).hint,
             Catch::Contains("[times.\"schema.table\"]"));
}

TEST_CASE("reader - a column of a fragment is recorded with its place") {
  const Profile profile = parse_with("when    = \"kind = 'billing'\"", "when    = \":task.plan = 'billing'\"");
  bool found = false;
  for (const ColumnUse& use : profile.columns) {
    found = found || (use.table == "jobs" && use.column == "plan" && use.where.line == 83);
  }
  CHECK(found);
}

TEST_CASE("files - a path is read and named in errors") {
  const Folder folder;
  const std::filesystem::path good = folder.write("good.toml", k_sample_profile);
  CHECK(find_profile(good.string()).name == "sample");
  CHECK(find_profile(good.string()).file == good.string());
  const std::filesystem::path bad = folder.write("bad.toml", "format = 1\nname = 3\n");
  CHECK_THROWS_WITH(load_profile_file(bad), Catch::StartsWith(bad.string() + ":2:8: key 'name': is an integer"));
}

TEST_CASE("files - what cannot be read is wrong usage") {
  const Folder folder;
  const auto code_of = [](const std::string& path) {
    try {
      (void)find_profile(path);
    } catch (const Error& e) {
      CHECK_THAT(e.message(), Catch::Contains(path));
      return e.code();
    }
    return ExitCode::ok;
  };
  CHECK(code_of("/nonexistent/queue.toml") == ExitCode::usage);
  CHECK(code_of("/") == ExitCode::usage);
  CHECK(code_of(folder.write("big.toml", std::string(1100000, '#')).string()) == ExitCode::usage);
  CHECK(code_of(folder.write("latin1.toml", "name = \"\xff\"\n").string()) == ExitCode::usage);
  CHECK(code_of(folder.write("empty.toml", "").string()) == ExitCode::usage);
}
