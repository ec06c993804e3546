#include "sql/guard_objects.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/statements.hpp"
#include "sql/template.hpp"

namespace taskctl {

namespace {

constexpr std::array k_kind_names{"table", "function", "check", "trigger"};

}  // namespace

std::string_view to_string(GuardMode mode) {
  return mode == GuardMode::reject ? "reject" : "log";
}

std::optional<GuardMode> parse_guard_mode(std::string_view text) {
  for (const GuardMode mode : {GuardMode::reject, GuardMode::log}) {
    if (to_string(mode) == text) {
      return mode;
    }
  }
  return std::nullopt;
}

std::string_view to_string(GuardKind kind) {
  return k_kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<GuardKind> parse_guard_kind(std::string_view text) {
  const auto* const found = std::ranges::find(k_kind_names, text);
  return found == k_kind_names.end() ? std::nullopt
                                     : std::optional{static_cast<GuardKind>(found - k_kind_names.begin())};
}

std::string guard_object_text(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                              GuardKind kind, const std::string& name) {
  const std::string quoted = dialect.identifier(name);
  if (dialect.engine() == Engine::sqlite) {
    return fmt::format("{} main.{}", kind == GuardKind::table ? "TABLE" : "TRIGGER", quoted);
  }
  const std::string in_schema = dialect.identifier(journal_schema) + "." + quoted;
  switch (kind) {
    case GuardKind::table:
      return "TABLE " + in_schema;
    case GuardKind::function:
      return "FUNCTION " + in_schema;
    case GuardKind::check:
      return fmt::format("CONSTRAINT {} ON {}", quoted, dialect.table(table));
    case GuardKind::trigger:
      break;
  }
  return fmt::format("TRIGGER {} ON {}", quoted, dialect.table(table));
}

std::string render_guard_drop(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                              GuardKind kind, const std::string& name) {
  if (kind == GuardKind::check) {
    return fill_template(dialect.statements().guard_drop_check,
                         {{"table", dialect.table(table)}, {"name", dialect.identifier(name)}});
  }
  return fill_template(dialect.statements().guard_drop,
                       {{"object", guard_object_text(dialect, table, journal_schema, kind, name)}});
}

std::string render_guard_validate(const Dialect& dialect, const TableName& table, const std::string& name) {
  return fill_template(dialect.statements().guard_validate,
                       {{"table", dialect.table(table)}, {"name", dialect.identifier(name)}});
}

std::string find_guard_mark(std::string_view text) {
  const std::size_t at = text.find(k_guard_mark);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::size_t space = text.find(' ', at + k_guard_mark.size());
  return space == std::string_view::npos ? std::string{}
                                         : std::string{text.substr(at, space + 1 + k_guard_hash_length - at)};
}

}  // namespace taskctl
