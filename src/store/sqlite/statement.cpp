#include "store/sqlite/statement.hpp"

#include <limits>

namespace taskctl {

namespace {

struct Binder {
  sqlite3_stmt* statement;
  int index;

  int operator()(Null) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
  int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
  int operator()(const std::string& text) const {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  int operator()(const Blob& blob) const {
    return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
  }
};

/// The room of the text that stood there is used again: most columns hold texts in every row.
void set_text(Value& value, const char* text, std::size_t size) {
  if (std::string* before = std::get_if<std::string>(&value)) {
    before->assign(text, size);
  } else {
    value.emplace<std::string>(text, size);
  }
}

void read_column(sqlite3_stmt* statement, int column, Value& value) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      value = std::int64_t{sqlite3_column_int64(statement, column)};
      break;
    case SQLITE_FLOAT:
      value = sqlite3_column_double(statement, column);
      break;
    case SQLITE_TEXT: {
      // The text first: asking for it is what converts, and the size is then that of the converted text.
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      set_text(value, text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
      break;
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      value = Blob{size == 0 ? std::string{} : std::string(bytes, size)};
      break;
    }
    default:
      value = Null{};
  }
}

}  // namespace

int SqliteStatement::prepare(sqlite3* database, const std::string& sql) {
  if (sql.size() >= static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return SQLITE_TOOBIG;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  m_statement.reset(statement);
  return code;
}

std::size_t SqliteStatement::parameter_count() const {
  return static_cast<std::size_t>(sqlite3_bind_parameter_count(m_statement.get()));
}

std::size_t SqliteStatement::column_count() const {
  return static_cast<std::size_t>(sqlite3_column_count(m_statement.get()));
}

int SqliteStatement::bind(std::span<const Value> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int code = std::visit(Binder{m_statement.get(), static_cast<int>(i) + 1}, parameters[i]);
    if (code != SQLITE_OK) {
      return code;
    }
  }
  return SQLITE_OK;
}

void SqliteStatement::read(Row& row) const {
  for (std::size_t i = 0; i < row.size(); ++i) {
    read_column(m_statement.get(), static_cast<int>(i), row[i]);
  }
}

void SqliteStatement::reset() noexcept {
  sqlite3_reset(m_statement.get());
  sqlite3_clear_bindings(m_statement.get());
}

}  // namespace taskctl
