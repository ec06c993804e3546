#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "profile/source.hpp"

namespace taskctl {

/// One value of a TOML document with the place where it stands: the root table, and below it every
/// table, array and scalar. Tables keep the order of the file. The readers below either return what
/// they are named after or throw Error{usage} "FILE:LINE:COLUMN: key 'KEY': PROBLEM, expected EXPECTED".
class Item {
 public:
  enum class Kind { text, integer, real, boolean, date, array, table };

  /// The root table. Throws Error{usage} with the position of the first syntax error.
  static Item parse(std::string_view toml, const std::string& file);

  [[nodiscard]] Kind kind() const { return m_kind; }
  [[nodiscard]] bool is(Kind kind) const { return m_kind == kind; }
  [[nodiscard]] const SourcePosition& where() const { return m_where; }

  // Scalars. `expected` completes the error: "the name of a column".
  /// Not empty, without NUL.
  [[nodiscard]] const std::string& text(std::string_view expected) const;
  /// May be empty.
  [[nodiscard]] const std::string& any_text(std::string_view expected) const;
  [[nodiscard]] std::int64_t integer(std::string_view expected) const;
  [[nodiscard]] bool boolean() const;
  /// A text such as "1h30m"; the unit is required.
  [[nodiscard]] Duration duration() const;
  /// The value that belongs to the text; an unknown text names the choices and the nearest one.
  template <class T>
  [[nodiscard]] T choice(const std::vector<std::pair<std::string, T>>& choices) const;

  // Arrays and tables.
  [[nodiscard]] const std::vector<Item>& array(std::string_view expected) const;
  /// An array of texts without repetition.
  [[nodiscard]] std::vector<std::string> texts(std::string_view expected) const;
  /// This item, which must be a table.
  const Item& table(std::string_view expected) const;
  /// Key and value of every entry of a table, in the order of the file.
  [[nodiscard]] const std::vector<std::pair<std::string, Item>>& entries() const { return m_entries; }
  /// nullptr when the table has no such key.
  [[nodiscard]] const Item* find(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Throws when the key is missing.
  const Item& at(std::string_view key, std::string_view expected) const;
  /// The tables of `[[key]]`; none when it is missing.
  [[nodiscard]] const std::vector<Item>& tables(std::string_view key) const;
  /// This table with the entries of `over`: tables are merged, everything else of `over` takes the place of what is
  /// here. Every entry keeps the place where it stands in the file.
  [[nodiscard]] Item merged_with(const Item& over) const;
  /// This table without an entry.
  [[nodiscard]] Item without(std::string_view key) const;
  /// This item with `{NAME}` replaced in all of its texts and keys.
  [[nodiscard]] Item with_parameters(const std::map<std::string, std::string>& parameters) const;
  /// Throws at the first key that is none of these.
  void only(std::initializer_list<std::string_view> keys) const;

  /// "FILE:LINE:COLUMN: key 'KEY': PROBLEM, expected EXPECTED".
  [[noreturn]] void fail(const std::string& problem, std::string_view expected, std::string hint = {}) const;
  /// The same for a text that is none of `choices`, with the nearest of them as hint.
  [[noreturn]] void fail_unknown(const std::string& text, const std::vector<std::string>& choices) const;

 private:
  friend class DocumentBuilder;
  /// Position of this text among the names; throws when it is none of them.
  [[nodiscard]] std::size_t index_of(const std::vector<std::string>& names) const;
  void replace_parameters(const std::map<std::string, std::string>& parameters);
  void set_entry(const std::string& key, Item item, const SourcePosition& position);

  Kind m_kind = Kind::table;
  SourcePosition m_where;
  std::string m_text;
  std::int64_t m_integer = 0;
  bool m_boolean = false;
  std::vector<Item> m_items;
  std::vector<std::pair<std::string, Item>> m_entries;
  std::vector<SourcePosition> m_key_positions;  ///< of m_entries, same order
};

/// Throws Error{usage} "FILE:LINE:COLUMN: key 'KEY': MESSAGE".
[[noreturn]] void fail_at(const SourcePosition& where, const std::string& message, std::string hint = {});

template <class T>
T Item::choice(const std::vector<std::pair<std::string, T>>& choices) const {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto& [name, value] : choices) {
    names.push_back(name);
  }
  return choices[index_of(names)].second;
}

}  // namespace taskctl
