# Writes profile/builtin_texts.hpp: name and text of every profiles/*.toml.
file(GLOB files ${ROOT}/*.toml)
list(SORT files)
set(values "")
foreach(file IN LISTS files)
  get_filename_component(stem ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND values "    {\"${stem}\", R\"TOMLTEXT(${text})TOMLTEXT\"},\n")
endforeach()
file(WRITE ${OUTPUT}.tmp "// Generated from profiles/ by cmake/EmbedProfiles.cmake. Do not edit.
#pragma once
#include <array>
#include <string_view>

namespace taskctl {

struct BuiltinProfileText {
  std::string_view name;
  std::string_view text;
};

inline constexpr auto k_builtin_profile_texts = std::to_array<BuiltinProfileText>({
${values}});

}  // namespace taskctl
")
file(COPY_FILE ${OUTPUT}.tmp ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.tmp)
