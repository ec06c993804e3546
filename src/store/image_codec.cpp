#include "store/image_codec.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/journal.hpp"

namespace taskctl {

namespace {

/// Keeps columns in the order of the table.
using Json = nlohmann::ordered_json;

std::string special_real(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  return value > 0 ? "inf" : "-inf";
}

double parse_special_real(const std::string& text) {
  if (text == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text == "inf" || text == "-inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text == "inf" ? infinity : -infinity;
  }
  throw Error{ExitCode::mismatch, "the journal holds an unknown number '" + text + "'"};
}

struct ValueEncoder {
  Json operator()(const Null&) const { return nullptr; }
  Json operator()(std::int64_t number) const { return number; }
  Json operator()(double real) const { return std::isfinite(real) ? Json(real) : Json{{"real", special_real(real)}}; }
  Json operator()(const std::string& text) const {
    return is_valid_utf8(text) ? Json(text) : Json{{"text", to_hex(text)}};
  }
  Json operator()(const Blob& blob) const { return {{"blob", to_hex(blob.bytes)}}; }
};

Json encode_value(const Value& value) {
  return std::visit(ValueEncoder{}, value);
}

Value decode_value(const Json& json) {
  if (json.is_null()) {
    return Null{};
  }
  if (json.is_number_integer()) {
    return json.get<std::int64_t>();
  }
  if (json.is_number_float()) {
    return json.get<double>();
  }
  if (json.is_string()) {
    return json.get<std::string>();
  }
  if (json.is_object() && json.size() == 1) {
    const std::string text = json.begin().value().get<std::string>();
    if (json.contains("blob")) {
      return Blob{from_hex(text)};
    }
    if (json.contains("text")) {
      return from_hex(text);
    }
    if (json.contains("real")) {
      return parse_special_real(text);
    }
  }
  throw Error{ExitCode::mismatch, "the journal holds a value that no taskctl wrote: '" + json.dump() + "'"};
}

/// Column and table names are the only texts that stand bare; one that is not UTF-8 cannot.
std::string dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::type_error&) {
    throw Error{ExitCode::mismatch, "a column's or table's name is not valid UTF-8 and cannot be journalled"};
  }
}

/// Parses and hands over; whatever does not have the expected shape is damage.
template <typename Read>
auto parse(const std::string& text, Read read) {
  try {
    return read(Json::parse(text));
  } catch (const Json::exception&) {
    throw Error{ExitCode::mismatch, "the journal is damaged: '" + truncate_to_width(printable(text), 80) + "'"};
  }
}

Json object_of(const std::vector<std::string>& columns, const std::vector<Value>& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    json.push_back({columns[i], encode_value(values[i])});
  }
  return json;
}

void read_object(const Json& json, std::vector<std::string>& columns, std::vector<Value>& values) {
  for (const auto& [column, value] : json.items()) {
    columns.push_back(column);
    values.push_back(decode_value(value));
  }
}

}  // namespace

std::string encode_image(const Image& image) {
  return dump(object_of(*image.columns, image.values));
}

Image decode_image(const std::string& json) {
  return parse(json, [](const Json& object) {
    auto columns = std::make_shared<std::vector<std::string>>();
    Image image;
    read_object(object, *columns, image.values);
    image.columns = std::move(columns);
    return image;
  });
}

std::string encode_key(const RowKey& key) {
  return dump(object_of(key.columns, key.values));
}

RowKey decode_key(const std::string& json) {
  return parse(json, [](const Json& object) {
    RowKey key;
    read_object(object, key.columns, key.values);
    return key;
  });
}

std::string encode_names(const std::vector<std::string>& names) {
  return dump(Json(names));
}

std::vector<std::string> decode_names(const std::string& json) {
  return parse(json, [](const Json& array) { return array.get<std::vector<std::string>>(); });
}

std::string encode_side_effects(const std::vector<SideEffect>& effects) {
  Json array = Json::array();
  for (const SideEffect& effect : effects) {
    array.push_back({{"table", effect.table},
                     {"column", effect.column},
                     {"planned", encode_value(effect.planned)},
                     {"actual", encode_value(effect.actual)}});
  }
  return dump(array);
}

std::vector<SideEffect> decode_side_effects(const std::string& json) {
  return parse(json, [](const Json& array) {
    std::vector<SideEffect> effects;
    for (const Json& entry : array) {
      effects.push_back({.table = entry.at("table").get<std::string>(),
                         .column = entry.at("column").get<std::string>(),
                         .planned = decode_value(entry.at("planned")),
                         .actual = decode_value(entry.at("actual"))});
    }
    return effects;
  });
}

}  // namespace taskctl
