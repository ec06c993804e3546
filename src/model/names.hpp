#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace taskctl {

/// One enumerator with the code that stands for it on the command line, in profiles and in JSON.
template <typename Enum>
struct Name {
  Enum value;
  std::string_view text;
};

/// The code of an enumerator; empty for a value outside the enumeration.
template <typename Enum, std::size_t size>
constexpr std::string_view name_of(const std::array<Name<Enum>, size>& names, Enum value) {
  for (const Name<Enum>& name : names) {
    if (name.value == value) {
      return name.text;
    }
  }
  return {};
}

/// The enumerator of a code; exact match.
template <typename Enum, std::size_t size>
constexpr std::optional<Enum> value_of(const std::array<Name<Enum>, size>& names, std::string_view text) {
  for (const Name<Enum>& name : names) {
    if (name.text == text) {
      return name.value;
    }
  }
  return std::nullopt;
}

}  // namespace taskctl
