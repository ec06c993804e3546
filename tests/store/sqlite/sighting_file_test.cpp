#include "store/sqlite/sighting_file.hpp"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const Instant k_noon = system_clock().now() - 3h;

/// One file of sightings.
struct SightingScene {
  TempFolder folder;
  SightingPlace place{.file = folder.path() / "state" / "first-seen" / "p.db", .owner = "p of db", .busy_wait = 50ms};
  SightingFiles files = sqlite_sighting_files();

  std::unique_ptr<SightingWriter> write(Instant now) {
    return files.write(place, [now] { return now; });
  }
  SightingCounts note(Instant now, const std::vector<std::pair<std::string, std::string>>& tasks,
                      bool complete = true) {
    const auto writer = write(now);
    for (const auto& [task, fingerprint] : tasks) {
      writer->add(task, fingerprint);
    }
    return writer->finish(complete);
  }
  std::optional<Instant> find(const std::string& task, const std::string& fingerprint) {
    const auto reader = files.read(place);
    const auto seen = reader ? reader->find(task, fingerprint) : std::nullopt;
    return seen ? std::optional{seen->first} : std::nullopt;
  }
  /// Another program's hand.
  void meddle(const std::string& sql) {
    REQUIRE(std::system(("sqlite3 '" + place.file.string() + "' \"" + sql + "\"").c_str()) == 0);
  }
  std::string problem() {
    Sightings sightings{place, files};
    CHECK(sightings.find("1", "a").absent());
    return sightings.problem();
  }
};

}  // namespace

TEST_CASE("a file of sightings keeps the first time of what stays as it is") {
  SightingScene scene;
  CHECK_FALSE(scene.find("1", "a"));
  CHECK_FALSE(std::filesystem::exists(scene.place.file));
  const SightingCounts first = scene.note(k_noon, {{"1", "a"}, {"2", "b"}});
  CHECK(first.active == 2);
  CHECK(first.added == 2);
  CHECK(first.changed == 0);
  CHECK(scene.find("1", "a") == k_noon);
  CHECK_FALSE(scene.find("1", "b"));
  CHECK_FALSE(scene.find("3", "a"));
  const SightingCounts second = scene.note(k_noon + 1h, {{"1", "a"}, {"2", "c"}, {"3", "d"}});
  CHECK(second.active == 3);
  CHECK(second.added == 1);
  CHECK(second.changed == 1);
  CHECK(second.forgotten == 0);
  CHECK(scene.find("1", "a") == k_noon);
  CHECK(scene.find("2", "c") == k_noon + 1h);
  CHECK(scene.find("3", "d") == k_noon + 1h);
  CHECK(scene.note(k_noon + 2h, {{"1", "a"}}).forgotten == 2);
  CHECK_FALSE(scene.find("2", "c"));
}

TEST_CASE("a file of sightings forgets nothing when not everything was looked at") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}, {"2", "b"}});
  CHECK(scene.note(k_noon + 1h, {{"3", "c"}}, false).forgotten == 0);
  CHECK(scene.find("1", "a") == k_noon);
  CHECK(scene.find("3", "c") == k_noon + 1h);
}

TEST_CASE("a file of sightings takes any key") {
  SightingScene scene;
  const std::string odd{"a'\"\0\xff\n", 6};
  scene.note(k_noon, {{odd, "a"}, {"", "b"}, {R"(["x","y"])", "c"}});
  CHECK(scene.find(odd, "a") == k_noon);
  CHECK(scene.find("", "b") == k_noon);
  CHECK(scene.find(R"(["x","y"])", "c") == k_noon);
}

TEST_CASE("two rows with one id are known by nobody") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}, {"1", "b"}});
  CHECK_FALSE(scene.find("1", "a"));
  CHECK_FALSE(scene.find("1", "b"));
}

TEST_CASE("a time that a wrong clock noted counts anew") {
  SightingScene scene;
  scene.note(k_noon + 24h, {{"1", "a"}});
  CHECK(scene.note(k_noon, {{"1", "a"}}).changed == 1);
  CHECK(scene.find("1", "a") == k_noon);
}

TEST_CASE("what nobody looked at for long counts anew") {
  SightingScene scene;
  const Instant begin = k_noon - 24h;
  scene.note(begin, {{"1", "a"}, {"2", "b"}});
  CHECK(scene.note(begin + k_longest_gap, {{"1", "a"}}).changed == 0);
  CHECK(scene.find("1", "a") == begin);
  const SightingCounts late = scene.note(begin + 2 * k_longest_gap + 1us, {{"1", "a"}, {"2", "b"}});
  CHECK(late.changed + late.added == 2);
  CHECK(scene.find("1", "a") == begin + 2 * k_longest_gap + 1us);
}

TEST_CASE("a sighting that is long ago says nothing") {
  SightingScene scene;
  scene.note(system_clock().now() - k_longest_gap - 1min, {{"1", "a"}});
  const SightingFiles files = sqlite_sighting_files();
  Sightings sightings{scene.place, files};
  CHECK(sightings.find("1", "a").absent());
  CHECK(sightings.problem().empty());
}

TEST_CASE("a copy of a server is another place") {
  const Profile profile;
  ServerInfo server;
  server.database_identity = "postgres:7/5";
  server.host = "db1";
  server.port = "5432";
  const SightingPlace first = sighting_place("/f", server, profile, 1s);
  server.port = "5433";
  CHECK(sighting_place("/f", server, profile, 1s).file != first.file);
}

TEST_CASE("a file of sightings is private") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}});
  struct stat found {};
  REQUIRE(::stat(scene.place.file.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 0600U);
  REQUIRE(::stat(scene.place.file.parent_path().c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 0700U);
}

TEST_CASE("an observation that does not end leaves nothing") {
  SightingScene scene;
  scene.write(k_noon)->add("1", "a");
  CHECK_FALSE(scene.find("1", "a"));
  scene.note(k_noon, {{"1", "a"}});
  scene.write(k_noon + 1h)->add("1", "b");
  CHECK(scene.find("1", "a") == k_noon);
}

TEST_CASE("one observation keeps another one waiting for a bounded time, and readers not at all") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}});
  const auto first = scene.write(k_noon + 1h);
  CHECK_THROWS_AS(scene.write(k_noon + 1h), BusyError);
  CHECK(scene.find("1", "a") == k_noon);
  first->add("1", "a");
  first->finish(true);
  CHECK(scene.note(k_noon + 2h, {{"1", "a"}}).changed == 0);
}

TEST_CASE("a reader lets a writer through between two statements") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}});
  Sightings sightings{scene.place, scene.files};
  CHECK(sightings.find("1", "a").at == k_noon);
  CHECK_THROWS_AS(scene.note(k_noon + 1h, {{"1", "b"}}), BusyError);
  sightings.pause();
  scene.note(k_noon + 1h, {{"1", "b"}});
  CHECK(sightings.find("1", "b").at == k_noon + 1h);
  CHECK(sightings.problem().empty());
}

TEST_CASE("a reader does not wait for long while somebody writes") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}});
  scene.place.busy_wait = 1h;
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(scene.place.file.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto begun = std::chrono::steady_clock::now();
  CHECK_THAT(scene.problem(), Contains("is in use by another taskctl"));
  CHECK(std::chrono::steady_clock::now() - begun < 30s);
  sqlite3_close(other);
  CHECK(scene.find("1", "a") == k_noon);
}

TEST_CASE("a file of sightings that came later is found") {
  SightingScene scene;
  Sightings sightings{scene.place, scene.files};
  CHECK(sightings.find("1", "a").absent());
  scene.note(k_noon, {{"1", "a"}});
  sightings.pause();
  CHECK(sightings.find("1", "a").at == k_noon);
}

TEST_CASE("a damaged file of sightings gives no age") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}, {"2", "b"}});
  SECTION("a time that somebody changed") {
    scene.meddle("UPDATE seen SET first_seen = first_seen - 3600000000 WHERE task = '1'");
    CHECK_THAT(scene.problem(), Contains("is damaged: a row is not as it was written"));
  }
  SECTION("rows of one task under another") {
    scene.meddle("DELETE FROM seen WHERE task = '1'; UPDATE seen SET task = '1', fingerprint = 'a'");
    CHECK_THAT(scene.problem(), Contains("is damaged"));
  }
  SECTION("no database") {
    std::ofstream{scene.place.file, std::ios::trunc} << std::string(4096, 'x');
    CHECK_THAT(scene.problem(), Contains("is damaged") && Contains("Remove it"));
    CHECK_THROWS_AS(scene.write(k_noon), Error);
  }
  SECTION("cut off") {
    std::filesystem::resize_file(scene.place.file, 5000);
    CHECK_FALSE(scene.problem().empty());
  }
}

TEST_CASE("a file of sightings of somebody else is not read") {
  SightingScene scene;
  scene.note(k_noon, {{"1", "a"}});
  SECTION("another database") {
    scene.place.owner = "p of another";
    CHECK_THAT(scene.problem(), Contains("is of another database or profile"));
  }
  SECTION("another program") {
    scene.meddle("PRAGMA application_id = 1");
    CHECK_THAT(scene.problem(), Contains("was not written by this version of taskctl"));
  }
  SECTION("another version") {
    scene.meddle("PRAGMA user_version = 9");
    CHECK_THAT(scene.problem(), Contains("was not written by this version of taskctl"));
  }
  SECTION("an empty one is as good as none") {
    std::ofstream{scene.place.file, std::ios::trunc};
    CHECK(scene.problem().empty());
    scene.note(k_noon, {{"1", "a"}});
    CHECK(scene.find("1", "a") == k_noon);
  }
  SECTION("a folder") {
    std::filesystem::remove(scene.place.file);
    std::filesystem::create_directory(scene.place.file);
    CHECK_FALSE(scene.problem().empty());
    CHECK_THROWS_AS(scene.write(k_noon), Error);
  }
}

TEST_CASE("where nothing can be written an observation says so") {
  SightingScene scene;
  std::ofstream{scene.folder.path() / "state"} << "a file in the place of the folder";
  CHECK_THROWS_AS(scene.write(k_noon), Error);
  CHECK(scene.problem().empty());  // nothing lies there
}
