#pragma once

#include <array>
#include <string_view>

namespace taskctl {

/// An environment variable that changes what taskctl does.
struct VariableInfo {
  std::string_view name;
  std::string_view meaning;
  bool target;  ///< only of commands that open a database
};

/// Every one that is read, for the manual pages; a test compares it with the sources.
inline constexpr auto k_variables = std::to_array<VariableInfo>({
    {"TASKCTL_DB", "the database, as in --db", true},
    {"TASKCTL_TARGET", "the target, as in --target", true},
    {"TASKCTL_PROFILE", "the profile, as in --profile", true},
    {"TASKCTL_CONFIG", "the configuration file, as in --config", true},
    {"TASKCTL_PASSWORD_FILE", "the file with the password, as in --password-file", true},
    {"TASKCTL_JOURNAL_SCHEMA", "the schema of the journal, as in --journal-schema", true},
    {"DATABASE_URL", "the database, when nothing else names one; only for commands that do not write", true},
    {"PGHOST", "this and the other PG variables of libpq say what the location leaves open", true},
    {"PGPASSWORD", "the password for PostgreSQL; ~/.pgpass (PGPASSFILE) is read as well", true},
    {"XDG_CONFIG_HOME", "folder of taskctl/config.toml (default ~/.config)", true},
    {"XDG_STATE_HOME",
     "folder of taskctl/attempts.jsonl, of first-seen times and of backups of PostgreSQL (default ~/.local/state)",
     true},
    {"HOME", "the home folder, in these defaults and for ~ in the configuration", true},
    {"SUDO_USER", "who called sudo: journalled as the author; ./taskctl.toml is not read then", true},
    {"TMPDIR", "folder for what does not fit into memory (default /tmp)", true},
    {"COLUMNS", "width of tables; the terminal's own width otherwise", false},
    {"NO_COLOR", "when set, no colours", false},
    {"LC_ALL", "the locale, before LC_CTYPE and LANG: bars are made of blocks where its character set is UTF-8", false},
    {"LC_CTYPE", "the locale where LC_ALL is not set", false},
    {"LANG", "the locale where neither is set", false},
    {"TERM", "no colours when it is dumb", false},
});

}  // namespace taskctl
