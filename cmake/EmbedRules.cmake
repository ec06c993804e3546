# Writes commands/explain/rule_pages.hpp: code and text of every docs/rules/*.md.
file(GLOB files ${ROOT}/*.md)
list(SORT files)
set(values "")
foreach(file IN LISTS files)
  get_filename_component(stem ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND values "    {\"${stem}\", R\"RULETEXT(${text})RULETEXT\"},\n")
endforeach()
file(WRITE ${OUTPUT}.tmp "// Generated from docs/rules/ by cmake/EmbedRules.cmake. Do not edit.
#pragma once
#include <array>
#include <string_view>

namespace taskctl {

struct RulePage {
  std::string_view code;
  std::string_view text;
};

inline constexpr auto k_rule_pages = std::to_array<RulePage>({
${values}});

}  // namespace taskctl
")
file(COPY_FILE ${OUTPUT}.tmp ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.tmp)
