#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "support/databases.hpp"

using namespace taskctl;

namespace {

void read_in_transaction(Connection& connection) {
  const Transaction transaction{connection, Access::read};
  static_cast<void>(connection.query("SELECT id FROM tasks"));
}

}  // namespace

TEST_CASE("an interrupted reader stays interrupted and a writer goes on") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = test::temp_database(engine, "CREATE TABLE tasks (id integer PRIMARY KEY)");
  const auto reader = database->open(Access::read);
  reader->interrupt();
  CHECK_THROWS_AS(reader->query("SELECT id FROM tasks"), InterruptedError);
  CHECK_THROWS_AS(read_in_transaction(*reader), InterruptedError);
  CHECK_THROWS_AS(reader->query("SELECT id FROM tasks"), InterruptedError);

  const auto writer = database->open(Access::write);
  writer->interrupt();
  Transaction transaction{*writer, Access::write};
  CHECK(writer->run("INSERT INTO tasks VALUES (1)") == 1);
  transaction.commit();
  CHECK(writer->query("SELECT id FROM tasks").size() == 1);
}
