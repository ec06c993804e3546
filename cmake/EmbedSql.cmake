# Writes sql/statements.hpp: one string_view per statement and one constant per engine.
# A statement that one engine lacks is an error here, not at run time.
file(GLOB sqlite_files ${ROOT}/sqlite/*.sql)
file(GLOB postgres_files ${ROOT}/postgres/*.sql)
set(stems "")
foreach(file IN LISTS sqlite_files postgres_files)
  get_filename_component(stem ${file} NAME_WE)
  list(APPEND stems ${stem})
endforeach()
list(REMOVE_DUPLICATES stems)
list(SORT stems)

set(members "")
set(sqlite_values "")
set(postgres_values "")
set(table "")
foreach(stem IN LISTS stems)
  string(APPEND members "  std::string_view ${stem};\n")
  string(APPEND table "    {\"${stem}\", &Statements::${stem}},\n")
  foreach(engine sqlite postgres)
    set(file ${ROOT}/${engine}/${stem}.sql)
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "sql/${engine}/${stem}.sql is missing: every statement exists for both engines")
    endif()
    file(READ ${file} text)
    string(REGEX REPLACE ";[ \t\r\n]*$" "\n" text "${text}")
    string(APPEND ${engine}_values "    .${stem} = R\"SQLTEXT(${text})SQLTEXT\",\n")
  endforeach()
endforeach()

file(WRITE ${OUTPUT}.tmp "// Generated from sql/ by cmake/EmbedSql.cmake. Do not edit.
#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace taskctl {

/// Every statement taskctl sends, by the stem of its file.
struct Statements {
${members}};

inline constexpr Statements k_sqlite_statements{
${sqlite_values}};

inline constexpr Statements k_postgres_statements{
${postgres_values}};

/// Stem and member of every statement, for the test that prepares them all.
inline constexpr auto k_statement_list = std::to_array<std::pair<std::string_view, std::string_view Statements::*>>({
${table}});

}  // namespace taskctl
")
file(COPY_FILE ${OUTPUT}.tmp ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.tmp)
