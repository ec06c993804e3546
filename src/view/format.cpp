#include "view/format.hpp"

#include <array>
#include <utility>

namespace taskctl {

namespace {

constexpr std::array<std::pair<OutputFormat, std::string_view>, 6> k_names{{
    {OutputFormat::table, "table"},
    {OutputFormat::json, "json"},
    {OutputFormat::jsonl, "jsonl"},
    {OutputFormat::csv, "csv"},
    {OutputFormat::tsv, "tsv"},
    {OutputFormat::ids, "ids"},
}};

}  // namespace

std::string_view to_string(OutputFormat format) {
  for (const auto& [value, name] : k_names) {
    if (value == format) {
      return name;
    }
  }
  return "table";
}

std::optional<OutputFormat> parse_output_format(std::string_view text) {
  for (const auto& [value, name] : k_names) {
    if (name == text) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace taskctl
