#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace taskctl {

/// `{name}` → text. Values are not searched again; a name that is not listed stays as it is.
using Placeholders = std::initializer_list<std::pair<std::string_view, std::string_view>>;
[[nodiscard]] std::string fill_template(std::string_view statement, Placeholders values);

/// A statement without its header of comments, ended as a person would type it: ";\n".
[[nodiscard]] std::string for_people(std::string_view statement);

}  // namespace taskctl
