#include <catch2/catch.hpp>

#include "base/text.hpp"

using namespace taskctl;

TEST_CASE("passwords in urls are covered") {
  CHECK(redact("postgres://user:secret@host:5432/db") == "postgres://user:***@host:5432/db");
  CHECK(redact("postgresql://user:s%40cret@[::1]:5432/db?sslmode=require") ==
        "postgresql://user:***@[::1]:5432/db?sslmode=require");
  CHECK(redact("cannot connect to 'postgres://u:p@h/db': refused") ==
        "cannot connect to 'postgres://u:***@h/db': refused");
  CHECK(redact("postgres://a:1@h/x postgres://b:2@h/y") == "postgres://a:***@h/x postgres://b:***@h/y");
}

TEST_CASE("characters that should have been encoded do not uncover a password") {
  CHECK(redact("postgres://u:p@ss@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:pa/ss@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:pa?ss#x@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:p:a:s@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:pa ss@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:pa'ss@host/db") == "postgres://u:***@host/db");
  CHECK(redact("postgres://u:12/34@host/db") == "postgres://u:***@host/db");
}

TEST_CASE("urls without a password stay as they are") {
  for (const char* url :
       {"postgres://user@host:5432/db", "postgres://host:5432/db?user=a@b", "postgres://[::1]:5432/db",
        "postgres:///db", "postgres://h1:5432,h2:5433/db", "sqlite:/var/lib/tasks.db", "https://example.org/a@b", "://",
        "postgres://u:@h/db", "at 12:30 mail me@example.org"}) {
    CHECK(redact(url) == url);
  }
}

TEST_CASE("passwords in a url query are covered") {
  CHECK(redact("postgres://h/db?password=secret&sslmode=require") == "postgres://h/db?password=***&sslmode=require");
  CHECK(redact("postgres://h/db?user=u&password=secret") == "postgres://h/db?user=u&password=***");
  CHECK(redact("postgres://h/db?sslpassword=secret#x") == "postgres://h/db?sslpassword=***#x");
}

TEST_CASE("passwords in keyword strings are covered") {
  CHECK(redact("host=h password=secret dbname=d") == "host=h password=*** dbname=d");
  CHECK(redact("password=a&b host=h") == "password=*** host=h");
  CHECK(redact("host=h password = 'two words' dbname=d") == "host=h password = *** dbname=d");
  CHECK(redact("password='it\\'s one' dbname=d") == "password=*** dbname=d");
  CHECK(redact("password=one\\ two dbname=d") == "password=*** dbname=d");
  CHECK(redact("password='never closed dbname=d") == "password=***");
  CHECK(redact("PASSWORD=secret PGPASSWORD=other") == "PASSWORD=*** PGPASSWORD=***");
  CHECK(redact("sslpassword=secret") == "sslpassword=***");
  CHECK(redact("password=aPassword=b host=h") == "password=*** host=h");
}

TEST_CASE("the word alone is not a password") {
  for (const char* text : {"", "password", "password=", "password authentication failed for user \"x\"",
                           "--password-file=/etc/secret", "passfile=/home/u/.pgpass"}) {
    CHECK(redact(text) == text);
  }
}

TEST_CASE("redacting twice changes nothing") {
  for (const char* text : {"postgres://u:p@h/db?password=x", "host=h password='a b'"}) {
    CHECK(redact(redact(text)) == redact(text));
  }
}
