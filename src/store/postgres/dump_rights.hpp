#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/connection.hpp"

namespace taskctl::postgres {

/// Why pg_dump would give up. It needs more rights than a repair: the sequences of the tables, and every row.
struct DumpObstacle {
  std::string reason;  ///< "role 'app' may not read the sequence 'public.tasks_id_seq'", "… and 2 more objects"
  std::string remedy;  ///< statements that take it away: "GRANT SELECT ON ALL SEQUENCES IN SCHEMA …"
};

/// Of these tables with what belongs to them; of the whole database when `tables` is null. nullopt: nothing is in the
/// way.
std::optional<DumpObstacle> find_dump_obstacle(Connection& connection, const std::vector<TableName>* tables);

}  // namespace taskctl::postgres
