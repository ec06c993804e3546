#include "profile/draft.hpp"

namespace taskctl {

namespace {

/// Asked of the database before any task is read: there is no row that a placeholder could stand for.
Fragment read_question(const Item& item, Draft& draft) {
  constexpr std::string_view k_expected = "an expression that gives the version";
  Fragment fragment = draft.parse_fragment(item, k_expected);
  for (const Fragment::Piece& piece : fragment.pieces()) {
    if (piece.placeholder) {
      item.fail("holds a placeholder", k_expected);
    }
  }
  return fragment;
}

}  // namespace

void read_version(const Item& root, Draft& draft) {
  const Item* item = root.find("version");
  if (item == nullptr) {
    return;
  }
  item->table("a table [version]").only({"table", "sql", "known", "columns"});
  VersionSpec version;
  version.where = item->where();
  if (const Item* sql = item->find("sql")) {
    version.sql = read_question(*sql, draft);
    version.known = item->at("known", "the versions that this profile was made for").texts("versions such as [\"6\"]");
  } else if (const Item* known = item->find("known")) {
    known->fail("stands without 'sql'", "SQL that gives the version of the database");
  }
  if (const Item* table = item->find("table")) {
    if (!version.sql) {
      table->fail("stands without 'sql'", "SQL that gives the version of the database");
    }
    version.table = draft.table(*table);
  }
  if (const Item* columns = item->find("columns")) {
    version.columns = columns->texts("every column that the task's table can have");
  }
  if (!version.sql && version.columns.empty()) {
    item->fail("says nothing", "'sql' with 'known', or 'columns'");
  }
  draft.profile.version = std::move(version);
}

}  // namespace taskctl
