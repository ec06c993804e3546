#include "store/value_json.hpp"

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

double parse_special_real(const std::string& text) {
  if (text == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (text == "inf" || text == "-inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text == "inf" ? infinity : -infinity;
  }
  throw Error{ExitCode::mismatch, "'" + printable(text) + "' is not a number that taskctl wrote"};
}

struct ValueEncoder {
  StoredJson operator()(const Null&) const { return nullptr; }
  StoredJson operator()(std::int64_t number) const { return number; }
  StoredJson operator()(double real) const {
    return std::isfinite(real) ? StoredJson(real) : StoredJson{{"real", special_real_name(real)}};
  }
  StoredJson operator()(const std::string& text) const { return stored_text(text); }
  StoredJson operator()(const Blob& blob) const { return {{"blob", to_hex(blob.bytes)}}; }
};

std::string unhex(const std::string& text) {
  try {
    return from_hex(text);
  } catch (const Error& error) {
    throw Error{ExitCode::mismatch, error.message()};
  }
}

}  // namespace

std::string special_real_name(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  return value > 0 ? "inf" : "-inf";
}

StoredJson stored_text(std::string_view text) {
  return is_valid_utf8(text) ? StoredJson(text) : StoredJson{{"text", to_hex(text)}};
}

StoredJson stored_value(const Value& value) {
  return std::visit(ValueEncoder{}, value);
}

StoredJson stored_columns(const std::vector<std::string>& columns, const std::vector<Value>& values) {
  StoredJson json = StoredJson::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    json.push_back({columns[i], stored_value(values[i])});
  }
  return json;
}

std::string read_stored_text(const StoredJson& json) {
  return json.is_object() ? unhex(json.at("text").get<std::string>()) : json.get<std::string>();
}

Value read_stored_value(const StoredJson& json) {
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
      return Blob{unhex(text)};
    }
    if (json.contains("text")) {
      return unhex(text);
    }
    if (json.contains("real")) {
      return parse_special_real(text);
    }
  }
  throw Error{ExitCode::mismatch,
              "'" + truncate_to_width(printable(json.dump()), 80) + "' is not a value that taskctl wrote"};
}

void read_stored_columns(const StoredJson& json, std::vector<std::string>& columns, std::vector<Value>& values) {
  for (const auto& [column, value] : json.items()) {
    columns.push_back(column);
    values.push_back(read_stored_value(value));
  }
}

}  // namespace taskctl
