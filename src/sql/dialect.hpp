#pragma once

#include <string>
#include <string_view>

#include "model/value.hpp"
#include "profile/profile.hpp"

namespace taskctl {

struct Statements;

/// What the two databases write differently. Everything else of a statement is shared (render.cpp).
class Dialect {
 public:
  explicit Dialect(Engine engine) : m_engine{engine} {}
  [[nodiscard]] Engine engine() const { return m_engine; }

  /// The embedded statements of this engine.
  [[nodiscard]] const Statements& statements() const;

  /// "name" with quotes doubled. Throws Error{usage} on an empty name or one with NUL.
  [[nodiscard]] std::string identifier(std::string_view name) const;
  [[nodiscard]] std::string table(const TableName& name) const;
  /// 'text' with quotes doubled; only for values from profiles (statuses). Values of users are parameters.
  [[nodiscard]] std::string literal(std::string_view text) const;

  /// May the database have this text? PostgreSQL holds neither NUL characters nor invalid UTF-8.
  [[nodiscard]] bool can_hold(std::string_view text) const;

  /// Parameter n (from 1): `?n` in SQLite; `$n::text::type` in PostgreSQL (plain `$n::text` for type "text" or "").
  [[nodiscard]] std::string parameter(std::size_t number, std::string_view type) const;

  /// A column for an image: the typed value in SQLite, `column::text` in PostgreSQL.
  [[nodiscard]] std::string as_image(std::string_view expression) const;
  /// An expression as text, for display and keys: CAST(x AS TEXT) / x::text.
  [[nodiscard]] std::string as_text(std::string_view expression) const;
  /// A time column as decode_time() wants it; `type` is the catalogue's.
  [[nodiscard]] std::string as_time(std::string_view expression, std::string_view type) const;

  /// Clause that takes row locks and skips rows that are locked: " FOR UPDATE OF alias SKIP LOCKED", "" in SQLite
  /// (where the transaction holds the only write lock).
  [[nodiscard]] std::string lock_clause(std::string_view alias) const;

 private:
  Engine m_engine;
};

}  // namespace taskctl
