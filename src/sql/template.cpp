#include "sql/template.hpp"

#include <algorithm>

namespace taskctl {

std::string fill_template(std::string_view statement, Placeholders values) {
  std::string result;
  while (!statement.empty()) {
    const std::size_t open = std::min(statement.find('{'), statement.size());
    result += statement.substr(0, open);
    statement.remove_prefix(open);
    const std::size_t close = statement.find('}');
    const auto* const found =
        close == std::string_view::npos
            ? values.end()
            : std::find_if(values.begin(), values.end(),
                           [name = statement.substr(1, close - 1)](const auto& value) { return value.first == name; });
    if (found != values.end()) {
      result += found->second;
      statement.remove_prefix(close + 1);
    } else if (!statement.empty()) {
      result += statement.front();
      statement.remove_prefix(1);
    }
  }
  return result;
}

std::string for_people(std::string_view statement) {
  std::string text{statement};
  while (text.starts_with("--")) {
    text.erase(0, text.find('\n') + 1);
  }
  text.erase(text.find_last_not_of(" \n;") + 1);
  return text + ";\n";
}

}  // namespace taskctl
