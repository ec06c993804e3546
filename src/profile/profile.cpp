#include "profile/profile.hpp"

#include <algorithm>

namespace taskctl {

std::string_view to_string(Engine engine) {
  return engine == Engine::sqlite ? "sqlite" : "postgres";
}

std::string_view to_string(Safety safety) {
  switch (safety) {
    case Safety::read_only:
      return "read-only";
    case Safety::release_only:
      return "release-only";
    case Safety::full:
      return "full";
  }
  return "unknown";
}

bool Profile::Times::counts_first_seen() const {
  return !start_fallback.empty() && start_fallback.back() == k_first_seen;
}

std::string Profile::title() const {
  return variant.empty() ? name : name + " " + variant;
}

const ColumnEncoding* Profile::encoding_of(const std::string& table_name, const std::string& column) const {
  const auto found = encodings.find({table_name, column});
  return found == encodings.end() ? nullptr : &found->second;
}

const RowRule* Profile::row_rule(Rule rule, const std::string& of_table) const {
  const auto found = std::find_if(row_rules.begin(), row_rules.end(),
                                  [&](const RowRule& entry) { return entry.rule == rule && entry.table == of_table; });
  return found == row_rules.end() ? nullptr : &*found;
}

}  // namespace taskctl
