#pragma once

#include <string_view>

namespace taskctl::postgres {

/// Does the statement's result count changed rows? libpqxx reports the rows of a SELECT as affected rows too and hides
/// the command tag. True for INSERT, UPDATE, DELETE and MERGE, also behind WITH and comments.
[[nodiscard]] bool changes_rows(std::string_view sql);

}  // namespace taskctl::postgres
