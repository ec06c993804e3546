#pragma once

#include <string>
#include <vector>

namespace taskctl {

/// Where in a profile or configuration file something stands, for errors: "FILE:LINE:COLUMN: key 'KEY': …".
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;
  std::string key;
  /// "queue.toml:12:3: key 'task.table'"
  [[nodiscard]] std::string display() const;
};

/// A column that the profile names: checked against the live schema before anything is read.
struct ColumnUse {
  std::string table;  ///< as written in the profile
  std::string column;
  SourcePosition where;
};

}  // namespace taskctl
