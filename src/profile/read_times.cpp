#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

using Styles = std::map<std::string, TimeStyle>;

const std::vector<std::pair<std::string, TimeFormat>>& formats() {
  static const std::vector<std::pair<std::string, TimeFormat>> k_formats = {{"timestamptz", TimeFormat::timestamptz},
                                                                            {"naive", TimeFormat::naive},
                                                                            {"text", TimeFormat::text},
                                                                            {"unix-s", TimeFormat::unix_s},
                                                                            {"unix-ms", TimeFormat::unix_ms},
                                                                            {"unix-us", TimeFormat::unix_us},
                                                                            {"unix-ns", TimeFormat::unix_ns},
                                                                            {"unix-float", TimeFormat::unix_float},
                                                                            {"julian-day", TimeFormat::julian_day}};
  return k_formats;
}

constexpr std::string_view k_zone = "a time zone such as \"Europe/Berlin\", \"UTC\" or \"+08:00\"";
constexpr std::string_view k_text_zone = "a time zone such as \"Europe/Berlin\", or \"in-text\"";

void read_zone(const Item& encoding, TimeStyle& style) {
  const bool text = style.format == TimeFormat::text;
  const std::string_view expected = text ? k_text_zone : k_zone;
  const Item& item = encoding.at("zone", expected);
  const std::string& name = item.text(expected);
  if (text && name == "in-text") {
    style.zone_in_text = true;
    return;
  }
  try {
    style.zone = Zone::find(name);
  } catch (const Error&) {
    item.fail(fmt::format("'{}' is not a time zone that this system knows", printable(name)), expected);
  }
}

void read_text_style(const Item& encoding, TimeStyle& style) {
  if (const Item* item = encoding.find("separator")) {
    style.separator = item->choice<char>({{"T", 'T'}, {" ", ' '}});
  }
  if (const Item* item = encoding.find("fraction")) {
    constexpr std::string_view k_expected = "the number of digits to write, 0 to 6";
    const std::int64_t digits = item->integer(k_expected);
    if (digits < 0 || digits > 6) {
      item->fail(fmt::format("is {}", digits), k_expected);
    }
    style.fraction = static_cast<int>(digits);
  }
}

TimeStyle read_style(const std::string& name, const Item& item, const Draft& draft) {
  item.table("a table [encoding.NAME]");
  TimeStyle style;
  style.name = name;
  const Item& format = item.at("format", "how times stand in the column, such as \"text\" or \"unix-ms\"");
  style.format = format.choice(formats());
  if (style.format == TimeFormat::text) {
    item.only({"format", "zone", "separator", "fraction"});
    read_zone(item, style);
    read_text_style(item, style);
  } else if (style.format == TimeFormat::naive) {
    item.only({"format", "zone"});
    read_zone(item, style);
  } else {
    item.only({"format"});
  }
  const bool native = style.format == TimeFormat::naive || style.format == TimeFormat::timestamptz;
  if (native && draft.profile.engines.contains(Engine::sqlite)) {
    format.fail("names a type that SQLite does not have", "another format, or engines = [\"postgres\"]");
  }
  return style;
}

const TimeStyle& style_named(const std::string& name, const Item& item, const Styles& styles) {
  const auto found = styles.find(name);
  if (found == styles.end()) {
    std::vector<std::string> known;
    for (const auto& [known_name, style] : styles) {
      known.push_back(known_name);
    }
    item.fail_unknown(name, known);
  }
  return found->second;
}

const TimeStyle& style_of(const Item& item, const Styles& styles) {
  return style_named(item.text("the name of an [encoding.NAME]"), item, styles);
}

/// `"style"`, `["style", …]` (the first is written) or `{ read = […], write = "style" }`.
ColumnEncoding read_column(const Item& item, const Draft& draft) {
  if (!item.is(Item::Kind::table)) {
    const std::vector<TimeStyle> read = draft.encodings(item);
    return {read, read.front()};
  }
  if (!item.has("read") && !item.has("write")) {
    item.fail("has neither 'read' nor 'write'", "a column with its encoding",
              "The name of a table with a schema stands in quotes: [times.\"schema.table\"].");
  }
  item.only({"read", "write"});
  return {draft.encodings(item.at("read", "the encodings that stand in the column")),
          style_of(item.at("write", "the encoding to write"), draft.styles)};
}

}  // namespace

/// `"style"` or `["style", …]`.
std::vector<TimeStyle> Draft::encodings(const Item& item) const {
  if (!item.is(Item::Kind::array)) {
    return {style_of(item, styles)};
  }
  std::vector<TimeStyle> result;
  for (const std::string& name : item.texts("names of encodings, the first that fits decides")) {
    result.push_back(style_named(name, item, styles));
  }
  return result;
}

void read_encodings(const Item& root, Draft& draft) {
  if (const Item* item = root.find("encoding")) {
    for (const auto& [name, style] : item->table("tables [encoding.NAME]").entries()) {
      draft.styles.emplace(name, read_style(name, style, draft));
    }
  }
}

void read_times(const Item& root, Draft& draft) {
  const Item* times = root.find("times");
  if (times == nullptr) {
    return;
  }
  for (const auto& [table, columns] : times->table("tables [times.TABLE]").entries()) {
    draft.encoded_tables.emplace(table, columns.where());
    for (const auto& [column, item] : columns.table("columns with their encodings").entries()) {
      draft.profile.encodings[{table, column}] = read_column(item, draft);
      draft.use_column(table, column, item.where());
    }
  }
}

}  // namespace taskctl
