#include "base/environment.hpp"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"

namespace taskctl {

namespace {

struct Account {
  std::string name;
  std::string home;
};

/// Of the effective user; nullopt when the system does not know it (a container's number).
std::optional<Account> account() {
  std::vector<char> buffer(std::size_t{1} << 14U);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return Account{found->pw_name, found->pw_dir};
}

/// A relative path in an XDG variable counts as unset, as the specification demands.
std::filesystem::path user_folder(const char* variable, const char* below_home) {
  if (const std::optional<std::string> folder = environment(variable); folder && folder->front() == '/') {
    return std::filesystem::path{*folder} / "taskctl";
  }
  std::optional<std::string> home = environment("HOME");
  if (!home) {
    const std::optional<Account> user = account();
    home = user ? std::optional{user->home} : std::nullopt;
  }
  if (!home || home->empty()) {
    throw Error{ExitCode::usage, "the user has no home folder", std::string{"Set HOME or "} + variable + "."};
  }
  return std::filesystem::path{*home} / below_home / "taskctl";
}

}  // namespace

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    return std::nullopt;
  }
  return value;
}

std::filesystem::path config_folder() {
  return user_folder("XDG_CONFIG_HOME", ".config");
}

std::filesystem::path state_folder() {
  return user_folder("XDG_STATE_HOME", ".local/state");
}

Author current_author() {
  Author author;
  const std::optional<Account> user = account();
  author.user = user ? user->name : std::to_string(geteuid());
  if (geteuid() == 0) {
    author.sudo_user = environment("SUDO_USER").value_or("");
  }
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) {
    author.host = host.data();
  }
  author.pid = getpid();
  return author;
}

}  // namespace taskctl
