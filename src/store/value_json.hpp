#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "model/value.hpp"

namespace taskctl {

// Values as JSON that gives them back bit for bit: blobs {"blob":"hex"}, texts that are not UTF-8 {"text":"hex"}, reals
// that are no finite JSON number {"real":"inf"}. The journal and saved plans are made of them.

/// Keeps columns in the order of the table.
using StoredJson = nlohmann::ordered_json;

/// "nan", "inf" or "-inf".
[[nodiscard]] std::string special_real_name(double value);

[[nodiscard]] StoredJson stored_text(std::string_view text);
[[nodiscard]] StoredJson stored_value(const Value& value);
/// Column → value.
[[nodiscard]] StoredJson stored_columns(const std::vector<std::string>& columns, const std::vector<Value>& values);

// The way back. Each throws Error{mismatch} or a Json::exception for what the function above did not write.
[[nodiscard]] std::string read_stored_text(const StoredJson& json);
[[nodiscard]] Value read_stored_value(const StoredJson& json);
void read_stored_columns(const StoredJson& json, std::vector<std::string>& columns, std::vector<Value>& values);

}  // namespace taskctl
