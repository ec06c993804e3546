#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/value.hpp"

namespace taskctl {

/// One column as the catalogue describes it.
struct ColumnInfo {
  std::string name;
  std::string type;  ///< SQLite: declared type, may be empty; PostgreSQL: format_type()
  bool not_null = false;
  bool generated = false;             ///< never written: PostgreSQL GENERATED … STORED, SQLite generated columns
  bool identity_always = false;       ///< an undo of a delete needs OVERRIDING SYSTEM VALUE
  std::vector<std::string> labels{};  ///< values of a PostgreSQL enum: it cannot even be compared with others
  bool can_select = true, can_update = true, can_insert = true;  ///< the current role
};

struct TableInfo {
  TableName name;
  std::vector<ColumnInfo> columns;
  std::vector<std::string> primary_key;               ///< SQLite: "rowid" alias is not invented; may be empty
  std::vector<std::string> triggers;                  ///< names of those that fire on writes, its partitions' too
  std::vector<std::vector<std::string>> indexes;      ///< key columns of every index, up to its first expression
  std::vector<std::vector<std::string>> unique_keys;  ///< columns of every unique index without predicate or expression
  bool row_security = false;                          ///< PostgreSQL: RLS is on and applies to the current role
  bool is_view = false;
  bool has_row_version = false;  ///< PostgreSQL: xmin, which every write of a row changes, and the role may read it
  bool is_partitioned = false;  ///< its unique keys hold the columns by which it is cut into partitions
  /// What the current role may do: read all that the profile reads (read_table(): every column), update or insert at
  /// least one column, delete.
  bool can_select = true, can_update = true, can_insert = true, can_delete = true;

  [[nodiscard]] const ColumnInfo* find(std::string_view column) const;
  /// Columns that name one row: the primary key, else a unique key that cannot be NULL; empty when there is neither.
  [[nodiscard]] std::vector<std::string> row_key() const;
};

/// Does the database see to it that no two rows have the same values in these columns?
[[nodiscard]] bool is_unique(const TableInfo& table, const std::vector<std::string>& columns);
/// The same for a partitioned table whose unique keys hold its partitions' columns too, as they must: these columns are
/// most likely unique, and nothing makes sure of it.
[[nodiscard]] bool is_unique_in_partition(const TableInfo& table, const std::vector<std::string>& columns);

/// The tables that a profile names, as they are in the database. Keyed by the name the profile uses.
struct Schema {
  std::map<std::string, TableInfo> tables;
  /// Tables that only SQL of the profile names and whose rows policies may hide from the current role: "schema.name".
  std::vector<std::string> veiled;
  [[nodiscard]] const TableInfo* find(const std::string& name_in_profile) const;
  /// Every table whose rows policies may hide from the current role, "schema.name", each once.
  [[nodiscard]] std::vector<std::string> with_hidden_rows() const;
  /// SHA-256 over names, types, keys and triggers.
  [[nodiscard]] std::string fingerprint() const;
};

}  // namespace taskctl
