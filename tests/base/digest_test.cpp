#include "base/digest.hpp"

#include <catch2/catch.hpp>
#include <regex>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/databases.hpp"

using namespace taskctl;

TEST_CASE("sha-256 of known texts") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha-256 of a file is that of its bytes") {
  const test::TempFolder folder;
  const auto path = folder.path() / "data";
  const std::string content = std::string(700000, 'x') + std::string(1, '\0') + "end";  // more than one piece
  write_file_durably(path, content);
  CHECK(sha256_file(path) == sha256(content));
  write_file_durably(path, "");
  CHECK(sha256_file(path) == sha256(""));
  CHECK_THROWS_AS(sha256_file(folder.path() / "missing"), Error);
  CHECK_THROWS_AS(sha256_file(folder.path()), Error);
}

TEST_CASE("random texts have their form and differ") {
  CHECK(random_hex(0).empty());
  CHECK(random_hex(3).size() == 6);
  CHECK(random_hex(16).find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(random_hex(16) != random_hex(16));
  const std::regex form{"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"};
  for (int i = 0; i < 50; ++i) {
    const std::string uuid = random_uuid();
    CAPTURE(uuid);
    CHECK(std::regex_match(uuid, form));
  }
  CHECK(random_uuid() != random_uuid());
}
