#include "profile/document.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

std::string_view article(Item::Kind kind) {
  using Kind = Item::Kind;
  switch (kind) {
    case Kind::text:
      return "a text";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a number with a fraction";
    case Kind::boolean:
      return "true or false";
    case Kind::date:
      return "a date or time";
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
  }
  return "a value";
}

/// "'a'" or "one of 'a', 'b'".
std::string one_of(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  quoted.reserve(names.size());
  for (const std::string& name : names) {
    quoted.push_back("'" + name + "'");
  }
  return (quoted.size() > 1 ? "one of " : "") + join(quoted, ", ");
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? std::string{} : fmt::format("Did you mean '{}'?", near);
}

/// The text with `{NAME}` replaced by the parameter of that name.
std::string put_in(std::string text, const std::map<std::string, std::string>& parameters) {
  for (const auto& [name, value] : parameters) {
    const std::string placeholder = "{" + name + "}";
    for (std::size_t at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder, at)) {
      text.replace(at, placeholder.size(), value);
      at += value.size();
    }
  }
  return text;
}

}  // namespace

/// Turns the tree of toml++ into items; the only code that knows the library.
class DocumentBuilder {
 public:
  explicit DocumentBuilder(std::string file) : m_file{std::move(file)} {}

  Item build(const toml::node& node, const std::string& path, const SourcePosition& parent) const {
    Item item;
    item.m_where = position(node.source(), path, parent);
    if (const auto* table = node.as_table()) {
      item.m_kind = Item::Kind::table;
      add_entries(item, *table, path);
    } else if (const auto* array = node.as_array()) {
      item.m_kind = Item::Kind::array;
      for (const toml::node& element : *array) {
        const std::string element_path = fmt::format("{}[{}]", path, item.m_items.size() + 1);
        item.m_items.push_back(build(element, element_path, item.m_where));
      }
    } else {
      set_scalar(item, node);
    }
    return item;
  }

 private:
  static void set_scalar(Item& item, const toml::node& node) {
    if (const auto* text = node.as_string()) {
      item.m_kind = Item::Kind::text;
      item.m_text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      item.m_kind = Item::Kind::integer;
      item.m_integer = integer->get();
    } else if (const auto* boolean = node.as_boolean()) {
      item.m_kind = Item::Kind::boolean;
      item.m_boolean = boolean->get();
    } else {
      item.m_kind = node.is_floating_point() ? Item::Kind::real : Item::Kind::date;
    }
  }

  /// toml++ sorts keys by name; operations and messages follow the file.
  void add_entries(Item& item, const toml::table& table, const std::string& path) const {
    std::vector<std::pair<const toml::key*, const toml::node*>> nodes;
    for (auto&& [key, node] : table) {
      nodes.emplace_back(&key, &node);
    }
    std::stable_sort(nodes.begin(), nodes.end(),
                     [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
    for (const auto& [key, node] : nodes) {
      const std::string name{key->str()};
      const std::string child = path.empty() ? name : fmt::format("{}.{}", path, name);
      item.m_key_positions.push_back(position(key->source(), child, item.m_where));
      item.m_entries.emplace_back(name, build(*node, child, item.m_key_positions.back()));
    }
  }

  /// Tables that only exist as part of a longer header have no place of their own: the parent's.
  [[nodiscard]] SourcePosition position(const toml::source_region& source, const std::string& path,
                                        const SourcePosition& parent) const {
    if (source.begin.line == 0) {
      return {m_file, parent.line, parent.column, path};
    }
    return {m_file, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column), path};
  }

  std::string m_file;
};

Item Item::parse(std::string_view toml, const std::string& file) {
  const SourcePosition start{file, 1, 1, {}};
  try {
    const toml::table root = toml::parse(toml);
    return DocumentBuilder{file}.build(root, {}, start);
  } catch (const toml::parse_error& e) {
    const auto& begin = e.source().begin;
    fail_at({file, static_cast<int>(begin.line), static_cast<int>(begin.column), {}},
            fmt::format("is not valid TOML: {}", e.description()));
  }
}

void fail_at(const SourcePosition& where, const std::string& message, std::string hint) {
  throw Error{ExitCode::usage, where.display() + ": " + message, std::move(hint)};
}

void Item::fail(const std::string& problem, std::string_view expected, std::string hint) const {
  fail_at(m_where, fmt::format("{}, expected {}", problem, expected), std::move(hint));
}

void Item::fail_unknown(const std::string& text, const std::vector<std::string>& choices) const {
  fail(fmt::format("'{}' is unknown", printable(text)), one_of(choices), did_you_mean(text, choices));
}

std::size_t Item::index_of(const std::vector<std::string>& names) const {
  const std::string& wanted = text(one_of(names));
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    fail_unknown(wanted, names);
  }
  return static_cast<std::size_t>(found - names.begin());
}

const std::string& Item::any_text(std::string_view expected) const {
  if (m_kind != Kind::text) {
    fail(fmt::format("is {}", article(m_kind)), expected);
  }
  if (m_text.find('\0') != std::string::npos) {
    fail("contains a NUL character", expected);
  }
  return m_text;
}

const std::string& Item::text(std::string_view expected) const {
  if (any_text(expected).empty()) {
    fail("is empty", expected);
  }
  return m_text;
}

std::int64_t Item::integer(std::string_view expected) const {
  if (m_kind != Kind::integer) {
    fail(fmt::format("is {}", article(m_kind)), expected);
  }
  return m_integer;
}

bool Item::boolean() const {
  if (m_kind != Kind::boolean) {
    fail(fmt::format("is {}", article(m_kind)), article(Kind::boolean));
  }
  return m_boolean;
}

Duration Item::duration() const {
  constexpr std::string_view k_expected = "a duration with a unit such as \"90s\", \"30m\" or \"1h30m\"";
  const std::string& written = text(k_expected);
  try {
    return parse_duration(written, BareNumber::refused, m_where.key);
  } catch (const Error&) {
    fail(fmt::format("'{}' is not a duration", printable(written)), k_expected);
  }
}

const std::vector<Item>& Item::array(std::string_view expected) const {
  if (m_kind != Kind::array) {
    fail(fmt::format("is {}", article(m_kind)), expected);
  }
  return m_items;
}

std::vector<std::string> Item::texts(std::string_view expected) const {
  std::vector<std::string> result;
  for (const Item& element : array(expected)) {
    const std::string& value = element.text("a text");
    if (std::find(result.begin(), result.end(), value) != result.end()) {
      element.fail(fmt::format("'{}' stands twice", printable(value)), "each value once");
    }
    result.push_back(value);
  }
  if (result.empty()) {
    fail("is empty", expected);
  }
  return result;
}

const Item& Item::table(std::string_view expected) const {
  if (m_kind != Kind::table) {
    fail(fmt::format("is {}", article(m_kind)), expected);
  }
  return *this;
}

const Item* Item::find(std::string_view key) const {
  for (const auto& [name, item] : m_entries) {
    if (name == key) {
      return &item;
    }
  }
  return nullptr;
}

const Item& Item::at(std::string_view key, std::string_view expected) const {
  if (const Item* item = find(key)) {
    return *item;
  }
  SourcePosition missing = m_where;
  missing.key = m_where.key.empty() ? std::string{key} : fmt::format("{}.{}", m_where.key, key);
  fail_at(missing, fmt::format("missing, expected {}", expected));
}

const std::vector<Item>& Item::tables(std::string_view key) const {
  static const std::vector<Item> k_none;
  const Item* item = find(key);
  if (item == nullptr) {
    return k_none;
  }
  const std::string expected = fmt::format("tables, each under a header [[{}]]", item->m_where.key);
  for (const Item& element : item->array(expected)) {
    if (!element.is(Kind::table)) {
      element.fail(fmt::format("is {}", article(element.m_kind)), expected);
    }
  }
  return item->m_items;
}

void Item::set_entry(const std::string& key, Item item, const SourcePosition& position) {
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    if (m_entries[i].first == key) {
      m_entries[i].second = std::move(item);
      m_key_positions[i] = position;
      return;
    }
  }
  m_entries.emplace_back(key, std::move(item));
  m_key_positions.push_back(position);
}

Item Item::merged_with(const Item& over) const {
  Item result = *this;
  for (std::size_t i = 0; i < over.m_entries.size(); ++i) {
    const auto& [key, item] = over.m_entries[i];
    const Item* own = find(key);
    const bool tables = own != nullptr && own->is(Kind::table) && item.is(Kind::table);
    result.set_entry(key, tables ? own->merged_with(item) : item, over.m_key_positions[i]);
  }
  return result;
}

Item Item::without(std::string_view key) const {
  Item result = *this;
  for (std::size_t i = 0; i < result.m_entries.size(); ++i) {
    if (result.m_entries[i].first == key) {
      result.m_entries.erase(result.m_entries.begin() + static_cast<std::ptrdiff_t>(i));
      result.m_key_positions.erase(result.m_key_positions.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  return result;
}

Item Item::with_parameters(const std::map<std::string, std::string>& parameters) const {
  Item result = *this;
  if (!parameters.empty()) {
    result.replace_parameters(parameters);
  }
  return result;
}

void Item::replace_parameters(const std::map<std::string, std::string>& parameters) {
  m_text = put_in(m_text, parameters);
  for (Item& item : m_items) {
    item.replace_parameters(parameters);
  }
  for (auto& [key, item] : m_entries) {
    key = put_in(key, parameters);
    item.replace_parameters(parameters);
  }
}

void Item::only(std::initializer_list<std::string_view> keys) const {
  const std::vector<std::string> known{keys.begin(), keys.end()};
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    const std::string& name = m_entries[i].first;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail_at(m_key_positions[i], fmt::format("unknown key, expected {}", one_of(known)), did_you_mean(name, known));
    }
  }
}

}  // namespace taskctl
