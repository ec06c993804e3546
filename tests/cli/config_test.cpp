#include "cli/config.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "parsing.hpp"
#include "surroundings.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned k_nobody = 65534;

ResolvedConfig resolve(const std::vector<std::string>& arguments = {}, bool writes = true) {
  return resolve_config(parsed<TargetOptions>(arguments), writes);
}

std::string bad_config(const std::vector<std::string>& arguments = {}, ExitCode code = ExitCode::usage) {
  return error_of([&] { resolve(arguments); }, code);
}

std::string target_text(const std::string& name, const std::string& keys) {
  return "default_target = \"" + name + "\"\n[target." + name + "]\n" + keys;
}

}  // namespace

TEST_CASE("every key of a target is read with its line") {
  const Surroundings around;
  Surroundings::write(around.user_config(), target_text("prod", R"(db = "postgres://h/d"
profile = "cluster"
password_file = "pw"
backup_dir = "~/backups"
journal_schema = "ops"
max_age = "6h"
reap = "2d"
settle = "90s"
cancel_grace = "10m"
max_changes = 50
protected = true
)"));
  const ResolvedConfig config = resolve();
  const std::string file = around.user_config().string();
  CHECK(config.target.name == "prod");
  CHECK(config.target.db.value == "postgres://h/d");
  CHECK(config.target.db.origin == file + ":3");
  CHECK(config.target.profile.value == "cluster");
  CHECK(config.target.password_file.value == (around.user_config().parent_path() / "pw").string());
  CHECK(config.target.backup_folder.value == std::string{std::getenv("HOME")} + "/backups");
  CHECK(config.target.journal_schema.value == "ops");
  CHECK(config.target.max_age.value == Duration{6h});
  CHECK(config.target.reap.value == Duration{48h});
  CHECK(config.target.settle.value == Duration{90s});
  CHECK(config.target.cancel_grace.value == Duration{10min});
  CHECK(config.target.max_changes.value == 50U);
  CHECK(config.target.is_protected.value);
  CHECK(config.target.is_protected.origin == file + ":13");
  CHECK(config.files == std::vector<std::string>{file});
}

TEST_CASE("the place comes from the highest source that names one") {
  const Surroundings around;
  Surroundings::set("DATABASE_URL", "postgres://url/d");
  CHECK(resolve({}, false).target.db.origin == "DATABASE_URL");
  CHECK(resolve({}, true).target.db.value.empty());

  Surroundings::write(around.user_config(), target_text("user", "db = \"postgres://user/d\"\n"));
  CHECK(resolve({}, false).target.db.value == "postgres://user/d");

  Surroundings::write(around.work() / "taskctl.toml", target_text("local", "db = \"postgres://local/d\"\n"));
  CHECK(resolve().target.db.value == "postgres://local/d");

  Surroundings::set("TASKCTL_DB", "postgres://env/d");
  CHECK(resolve().target.db.value == "postgres://env/d");
  CHECK(resolve().target.db.origin == "TASKCTL_DB");
  CHECK(resolve().target.name.empty());

  CHECK(resolve({"--target", "user"}).target.db.value == "postgres://user/d");
  CHECK(resolve({"--db", "postgres://cli/d"}).target.db.value == "postgres://cli/d");
  CHECK(resolve({"--db", "postgres://cli/d"}).target.db.origin == "command line");
  ::unsetenv("TASKCTL_DB");
  Surroundings::set("TASKCTL_TARGET", "user");
  CHECK(resolve().target.name == "user");
}

TEST_CASE("files fill in key by key what higher ones leave open") {
  const Surroundings around;
  Surroundings::write(around.user_config(),
                      target_text("prod", "db = \"postgres://user/d\"\nmax_age = \"6h\"\nprotected = true\n"));
  Surroundings::write(around.work() / "taskctl.toml", "[target.prod]\nmax_age = \"2h\"\n");
  const ResolvedConfig config = resolve();
  CHECK(config.target.db.value == "postgres://user/d");
  CHECK(config.target.max_age.value == Duration{2h});
  CHECK(config.target.max_age.origin == "./taskctl.toml:2");
  CHECK(config.target.is_protected.value);
  CHECK(config.files.size() == 2);
}

TEST_CASE("options and variables beat the file's profile and password file") {
  const Surroundings around;
  Surroundings::write(around.user_config(), target_text("p", "db = \"a.db\"\nprofile = \"jobs\"\n"));
  CHECK(resolve().target.profile.value == "jobs");
  Surroundings::set("TASKCTL_PROFILE", "cluster");
  CHECK(resolve().target.profile.value == "cluster");
  CHECK(resolve({"--profile", "task-queue"}).target.profile.origin == "command line");
  CHECK(resolve({"--password-file", "x", "--journal-schema", "j"}).target.password_file.value == "x");
  CHECK(resolve({"--journal-schema", "j"}).target.journal_schema.value == "j");
}

TEST_CASE("paths in a file start at its folder") {
  const Surroundings around;
  const std::string folder = around.user_config().parent_path().string();
  for (const char* db : {"tasks.db", "sqlite:tasks.db", "sqlite://tasks.db"}) {
    Surroundings::write(around.user_config(), target_text("p", "db = \"" + std::string{db} + "\"\n"));
    CHECK(resolve().target.db.value == "sqlite:" + folder + "/tasks.db");
  }
  Surroundings::write(around.user_config(), target_text("p", "db = \"/abs/tasks.db\"\nprofile = \"mine.toml\"\n"));
  CHECK(resolve().target.db.value == "sqlite:/abs/tasks.db");
  CHECK(resolve().target.profile.value == folder + "/mine.toml");
}

TEST_CASE("a local file that others control is not read and says why") {
  const Surroundings around;
  const std::filesystem::path local = around.work() / "taskctl.toml";
  const std::string text = target_text("local", "db = \"postgres://evil/d\"\n");

  Surroundings::write(local, text, 0664);
  CHECK(resolve().ignored == std::vector<std::string>{"./taskctl.toml: writable by group or others"});
  Surroundings::write(local, text, 0646);
  CHECK(resolve().ignored.size() == 1);
  CHECK(resolve().target.db.value.empty());

  Surroundings::write(local, text, 0644);
  CHECK(resolve().ignored.empty());
  if (::geteuid() == 0) {
    Surroundings::set("SUDO_USER", "somebody");
    CHECK(resolve().ignored == std::vector<std::string>{"./taskctl.toml: never read under sudo"});
    ::unsetenv("SUDO_USER");
    REQUIRE(::chown(local.c_str(), k_nobody, k_nobody) == 0);
    CHECK(resolve().ignored == std::vector<std::string>{"./taskctl.toml: owned by another user"});
  }
}

TEST_CASE("an unknown target names the nearest and the files that were not read") {
  const Surroundings around;
  CHECK_THAT(bad_config({"--target", "prod"}), Catch::StartsWith("unknown target 'prod' (command line)") &&
                                                   Catch::Contains("No configuration file defines a target."));
  Surroundings::write(around.user_config(), "[target.prod]\ndb = \"a\"\n");
  Surroundings::write(around.work() / "taskctl.toml", "", 0666);
  CHECK_THAT(bad_config({"--target", "prd"}),
             Catch::Contains("Did you mean 'prod'?") && Catch::Contains("Not read: ./taskctl.toml"));
}

TEST_CASE("mistakes in a file are named with file and line") {
  const Surroundings around;
  const std::string file = around.user_config().string();
  const auto with = [&](const std::string& text) {
    Surroundings::write(around.user_config(), text);
    return bad_config();
  };
  CHECK_THAT(with("[target.p]\n\ndb = \n"), Catch::StartsWith(file + ":3: "));
  CHECK_THAT(with("[target.p]\nmax_ages = \"1h\"\n"),
             Catch::StartsWith(file + ":2: unknown key 'max_ages'") && Catch::Contains("Did you mean 'max_age'?"));
  CHECK_THAT(with("targets = 1\n"), Catch::StartsWith(file + ":1: unknown key 'targets'"));
  CHECK_THAT(with("[target.p]\nmax_age = 6\n"),
             Catch::StartsWith(file + ":2: 'target.p.max_age' must be a duration in quotes"));
  CHECK_THAT(with("[target.p]\nmax_age = \"6\"\n"), Catch::StartsWith(file + ":2: "));
  CHECK_THAT(with("[target.p]\nreap = \"-1h\"\n"), Catch::StartsWith(file + ":2: "));
  CHECK_THAT(with("[target.p]\nprotected = \"yes\"\n"), Catch::Contains("must be true or false"));
  CHECK_THAT(with("[target.p]\nmax_changes = -1\n"), Catch::Contains("must be a number of tasks"));
  CHECK_THAT(with("[target.p]\ndb = \"mysql://h/d\"\n"), Catch::StartsWith(file + ":2: "));
  CHECK_THAT(with("[target.p]\ndb = \"\"\n"), Catch::Contains("must be a text that is not empty"));
  CHECK_THAT(with("[target]\np = 1\n"), Catch::Contains("'target.p' must be a table"));
  CHECK_THAT(with("target = \"p\"\n[target.p]\ndb = \"a\"\n"), Catch::Contains("write default_target ="));
  CHECK_THAT(with("default_target = 1\n"), Catch::Contains("must be a text"));
}

TEST_CASE("a file with a password must be private") {
  const Surroundings around;
  const std::string text = target_text("p", "db = \"postgres://u:secret@h/d\"\n");
  Surroundings::write(around.user_config(), text, 0644);
  const std::string error = bad_config({}, ExitCode::refused);
  CHECK_THAT(error, Catch::Contains("holds a password and others can read the file") && Catch::Contains("chmod 600"));
  CHECK(error.find("secret") == std::string::npos);
  Surroundings::write(around.user_config(), text, 0600);
  CHECK(resolve().target.db.value == "postgres://u:secret@h/d");
  if (::geteuid() == 0) {
    REQUIRE(::chown(around.user_config().c_str(), k_nobody, k_nobody) == 0);
    CHECK_THAT(bad_config({}, ExitCode::refused), Catch::Contains("holds a password"));
  }
}

TEST_CASE("a password on the command line is refused") {
  const Surroundings around;
  for (const std::string db : {"postgres://u:secret@h/d", "host=h password=secret"}) {
    const std::string error = bad_config({"--db", db});
    CHECK_THAT(error, Catch::Contains("--db") && Catch::Contains("--password-file"));
    CHECK(error.find("secret") == std::string::npos);
  }
}

TEST_CASE("a database and a target of the same source contradict each other") {
  const Surroundings around;
  CHECK_THAT(bad_config({"--db", "a", "--target", "b"}), Catch::Contains("either --db or --target"));
  Surroundings::set("TASKCTL_DB", "a");
  Surroundings::set("TASKCTL_TARGET", "b");
  CHECK_THAT(bad_config(), Catch::Contains("both named"));
}

TEST_CASE("a named file replaces the usual ones") {
  const Surroundings around;
  Surroundings::write(around.user_config(), target_text("user", "db = \"postgres://user/d\"\n"));
  const std::filesystem::path other = around.work() / "other.toml";
  Surroundings::write(other, target_text("other", "db = \"postgres://other/d\"\n"));
  const ResolvedConfig config = resolve({"--config", other.string()});
  CHECK(config.target.name == "other");
  CHECK(config.targets.size() == 1);
  Surroundings::set("TASKCTL_CONFIG", other.string());
  CHECK(resolve().target.name == "other");
  CHECK_THAT(bad_config({"--config", "missing.toml"}),
             Catch::StartsWith("configuration file 'missing.toml' (command line): No such file"));
  CHECK_THAT(bad_config({"--config", around.work().string()}), Catch::Contains("Is a directory"));
}
