#include "view/id_line.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

bool is_control(char character) {
  return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

}  // namespace

std::optional<std::string> id_line(std::string_view id) {
  const bool stands_alone = !id.empty() && id.front() != '"' && id.front() != ' ' && id.back() != ' ' &&
                            std::none_of(id.begin(), id.end(), is_control);
  if (stands_alone) {
    return std::string{id};
  }
  if (!is_valid_utf8(id)) {
    return std::nullopt;
  }
  return nlohmann::json(std::string{id}).dump();
}

std::string parse_id_line(std::string_view line) {
  if (!line.starts_with('"')) {
    return std::string{line};
  }
  const nlohmann::json id = nlohmann::json::parse(line, nullptr, false);
  if (!id.is_string()) {
    throw Error{ExitCode::usage, fmt::format("'{}' is not an id", truncate_to_width(printable(line), 80)),
                "A line that begins with a double quote is a JSON string, as `--output ids` prints it."};
  }
  return id.get<std::string>();
}

}  // namespace taskctl
