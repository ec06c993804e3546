#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/databases.hpp"

namespace taskctl::test {

/// A home, a working folder and an environment of the test's own, without any TASKCTL_ variable.
class Surroundings {
 public:
  Surroundings() : m_before{std::filesystem::current_path()} {
    std::filesystem::create_directories(work());
    std::filesystem::current_path(work());
    for (const char* name : {"TASKCTL_DB", "TASKCTL_PROFILE", "TASKCTL_TARGET", "TASKCTL_CONFIG",
                             "TASKCTL_PASSWORD_FILE", "TASKCTL_JOURNAL_SCHEMA", "DATABASE_URL", "SUDO_USER"}) {
      ::unsetenv(name);
    }
    set("HOME", (m_folder.path() / "home").string());
    set("XDG_CONFIG_HOME", (m_folder.path() / "config").string());
    set("XDG_STATE_HOME", (m_folder.path() / "state").string());
  }
  ~Surroundings() {
    std::filesystem::current_path(m_before);
    ::unsetenv("SUDO_USER");
  }
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  [[nodiscard]] std::filesystem::path work() const { return m_folder.path() / "work"; }
  [[nodiscard]] std::filesystem::path user_config() const { return m_folder.path() / "config/taskctl/config.toml"; }
  [[nodiscard]] std::filesystem::path attempts() const { return m_folder.path() / "state/taskctl/attempts.jsonl"; }

  static void write(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text;
    std::filesystem::permissions(path, std::filesystem::perms{mode});
  }

 private:
  TempFolder m_folder;
  std::filesystem::path m_before;
};

}  // namespace taskctl::test
