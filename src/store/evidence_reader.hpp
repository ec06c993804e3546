#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "model/task.hpp"
#include "profile/evidence_matcher.hpp"
#include "sql/render.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// Reads what one [[evidence]] entry says of some tasks. Texts are looked at as they come and not kept.
class EvidenceReader {
 public:
  EvidenceReader(Connection& connection, const Profile& profile, const Schema& schema, std::size_t index);
  /// Fills evidence[index] of every task.
  void read(std::span<TaskFacts* const> tasks);

 private:
  /// A task while its rows arrive.
  struct Asked {
    EvidenceFact* fact = nullptr;
    std::int64_t rows = 0;
    std::int64_t rank = 0;  ///< of the row that was taken; 0: none
  };

  [[nodiscard]] std::string problem() const;
  void take(const EvidenceStatement& layout, const Row& row);
  void take_row(const EvidenceStatement& layout, const Row& row, EvidenceFact& fact);
  [[nodiscard]] std::string row_name(const EvidenceStatement& layout, const Row& row) const;

  Connection& m_connection;
  const Profile& m_profile;
  const Schema& m_schema;
  std::size_t m_index;
  const EvidenceSource& m_source;
  const TableInfo* m_table;  ///< nullptr: a column of the task
  EvidenceMatcher m_matcher;
  std::map<TaskKey, Asked> m_asked;
};

}  // namespace taskctl
