#pragma once

#include <optional>
#include <string_view>

namespace taskctl {

enum class OutputFormat { table, json, jsonl, csv, tsv, ids };
[[nodiscard]] std::string_view to_string(OutputFormat format);
[[nodiscard]] std::optional<OutputFormat> parse_output_format(std::string_view text);

}  // namespace taskctl
