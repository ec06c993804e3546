#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "store/location.hpp"

using namespace taskctl;

namespace {

std::string usage_message(const std::string& text) {
  try {
    const Location location = parse_location(text);
    return "accepted as " + location.text;
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.message() + " " + error.hint();
  }
}

}  // namespace

TEST_CASE("location - plain paths become absolute without touching the disk") {
  const Location location = parse_location("folder/../tasks.db");
  CHECK(location.engine == Engine::sqlite);
  CHECK(location.text == (std::filesystem::current_path() / "tasks.db").string());
  CHECK(location.display == location.text);
  CHECK_FALSE(location.has_password);
  CHECK(parse_location("/var/lib/app//tasks.db").text == "/var/lib/app/tasks.db");
  CHECK(parse_location("name with blanks.db").engine == Engine::sqlite);
}

TEST_CASE("location - sqlite prefix") {
  CHECK(parse_location("sqlite:/a/b.db").text == "/a/b.db");
  CHECK(parse_location("sqlite:///a/b.db").text == "/a/b.db");
  CHECK(parse_location("sqlite:dbname=x.db").text == (std::filesystem::current_path() / "dbname=x.db").string());
  CHECK(parse_location("SQLITE:///a.db").engine == Engine::sqlite);
  CHECK(usage_message("sqlite:").find("no database file") != std::string::npos);
  CHECK(usage_message("sqlite::memory:").find(":memory:") != std::string::npos);
}

TEST_CASE("location - postgres urls keep their text and hide the password") {
  const Location location = parse_location("postgres://ann:s3cret@db1:5433/app?sslmode=require");
  CHECK(location.engine == Engine::postgres);
  CHECK(location.text == "postgres://ann:s3cret@db1:5433/app?sslmode=require");
  CHECK(location.has_password);
  CHECK(location.display.find("s3cret") == std::string::npos);
  CHECK(location.display.find("db1:5433/app") != std::string::npos);
  CHECK(parse_location("PostgreSQL://db1/app").text == "postgresql://db1/app");
  CHECK_FALSE(parse_location("postgresql://ann@db1/app").has_password);
  CHECK(parse_location("postgresql://a:1,b:2/app?target_session_attrs=read-write").engine == Engine::postgres);
  CHECK(parse_location("postgresql://[::1]:5432/app").engine == Engine::postgres);
  CHECK(parse_location("postgresql:///app?host=/run/postgresql").engine == Engine::postgres);
  CHECK(parse_location("postgresql://").engine == Engine::postgres);
}

TEST_CASE("location - libpq keyword strings") {
  const Location location = parse_location("host=db1 dbname=app password='s3 cret'");
  CHECK(location.engine == Engine::postgres);
  CHECK(location.has_password);
  CHECK(location.display.find("cret") == std::string::npos);
  CHECK(parse_location("  service = production").engine == Engine::postgres);
  // A known keyword is what tells it from a file name.
  CHECK(parse_location("day=monday.db").engine == Engine::sqlite);
  CHECK(parse_location("/srv/host=db1").engine == Engine::sqlite);
  CHECK(parse_location("./host=db1").engine == Engine::sqlite);
}

TEST_CASE("location - what is refused names what is supported") {
  CHECK(usage_message("mysql://root:s3cret@db/app").find("'mysql://' databases are not supported") == 0);
  CHECK(usage_message("mysql://root:s3cret@db/app").find("s3cret") == std::string::npos);
  CHECK(usage_message("mysql://root@db/app").find("libpq keyword string") != std::string::npos);
  CHECK(usage_message("").find("empty") != std::string::npos);
  CHECK(usage_message(std::string{"a\0b", 3}).find("NUL") != std::string::npos);
}

TEST_CASE("location - a password with a delimiter in it is refused without showing it") {
  const std::string at = usage_message("postgres://ann:pa@ss@db1/app");
  CHECK(at.find("more than one '@'") != std::string::npos);
  CHECK(at.find("ss@") == std::string::npos);
  const std::string slash = usage_message("postgres://ann:pa/ss@db1/app");
  CHECK(slash.find("port") != std::string::npos);
  CHECK(slash.find("pa/") == std::string::npos);
  // Percent-encoded they are fine.
  CHECK(parse_location("postgres://ann:pa%40ss%2F@db1/app").has_password);
}
