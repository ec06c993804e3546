#include <catch2/catch.hpp>

#include "store/postgres/statement_kind.hpp"

using taskctl::postgres::changes_rows;

TEST_CASE("statement kind - writes") {
  CHECK(changes_rows("INSERT INTO t VALUES (1) RETURNING id"));
  CHECK(changes_rows("-- purpose: select\n/* SELECT */ update t SET a = 1 RETURNING a"));
  CHECK(changes_rows("WITH x AS (SELECT 1) DELETE FROM t USING x RETURNING t.id"));
  CHECK(
      changes_rows("WITH \"select\" AS (VALUES (1)), b(n) AS MATERIALIZED (SELECT 2) UPDATE t SET a = 1 RETURNING 1"));
}

TEST_CASE("statement kind - reads") {
  CHECK_FALSE(changes_rows("SELECT 'UPDATE'"));
  CHECK_FALSE(changes_rows("WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT * FROM x"));
  CHECK_FALSE(changes_rows("WITH x AS (SELECT $1::text, $a$ ) DELETE $a$) SELECT 1"));
  CHECK_FALSE(changes_rows("VALUES (1)"));
  CHECK_FALSE(changes_rows("SHOW lock_timeout"));
  CHECK_FALSE(changes_rows(""));
  CHECK_FALSE(changes_rows("-- only a comment"));
  CHECK_FALSE(changes_rows("WITH 'unterminated"));
}
