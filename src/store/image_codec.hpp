#pragma once

#include <string>
#include <vector>

#include "model/change.hpp"

namespace taskctl {

// JSON of the journal's smaller columns; encode_image() and decode_image() are in journal.hpp. Every decode_ throws
// Error{mismatch} for a text that its encode_ did not write.

/// `{"id": 576}`: a key is an image of its columns.
[[nodiscard]] std::string encode_key(const RowKey& key);
[[nodiscard]] RowKey decode_key(const std::string& json);

/// `["status", "updated_at"]`
[[nodiscard]] std::string encode_names(const std::vector<std::string>& names);
[[nodiscard]] std::vector<std::string> decode_names(const std::string& json);

/// `[{"table": …, "column": …, "planned": value, "actual": value}]`
[[nodiscard]] std::string encode_side_effects(const std::vector<SideEffect>& effects);
[[nodiscard]] std::vector<SideEffect> decode_side_effects(const std::string& json);

}  // namespace taskctl
