#include "store/connection.hpp"

namespace taskctl {

std::vector<Row> Connection::query(std::string_view sql, std::span<const Value> parameters) {
  std::vector<Row> rows;
  run(sql, parameters, [&](const Row& row) { rows.push_back(row); });
  return rows;
}

}  // namespace taskctl
