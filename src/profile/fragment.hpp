#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/source.hpp"

namespace taskctl {

/// The tasks as they will be after the plan; a placeholder without a colon.
inline constexpr std::string_view k_tasks_relation = "{tasks}";

/// A piece of SQL from a profile, cut into text and placeholders. Placeholders are `:now`, `:now_text`, `:finished`,
/// `:reason`, `:worker`, `:first_result`, `:task.COLUMN` and `{tasks}`; `::type` casts and everything inside quotes and
/// comments is plain text.
class Fragment {
 public:
  struct Piece {
    bool placeholder = false;
    std::string text;  ///< SQL, or the placeholder's name without the colon ("now", "task.id", "{tasks}")
  };

  /// Throws Error{usage} with the position when quotes or parentheses do not close, or when the text
  /// contains `;`, `$1`, `?` or a comment outside of quotes: one fragment is one expression.
  static Fragment parse(std::string_view sql, SourcePosition where);

  [[nodiscard]] const std::vector<Piece>& pieces() const { return m_pieces; }
  [[nodiscard]] const std::string& sql() const { return m_sql; }  ///< as written
  [[nodiscard]] const SourcePosition& where() const { return m_where; }
  /// The SQL with every placeholder replaced by what `replace` returns for its name.
  [[nodiscard]] std::string render(const std::function<std::string(const std::string&)>& replace) const;

 private:
  std::string m_sql;
  std::vector<Piece> m_pieces;
  SourcePosition m_where;
};

}  // namespace taskctl
