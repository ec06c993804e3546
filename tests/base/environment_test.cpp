#include "base/environment.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "base/error.hpp"

using namespace taskctl;

namespace {

/// A variable for one test; nullptr unsets it. The old value comes back.
class Variable {
 public:
  Variable(const char* name, const char* value) : m_name{name}, m_old{environment(name)} {
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { m_old ? setenv(m_name, m_old->c_str(), 1) : unsetenv(m_name); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* m_name;
  std::optional<std::string> m_old;
};

}  // namespace

TEST_CASE("an empty variable counts as unset") {
  const Variable unset{"TASKCTL_TEST_VARIABLE", nullptr};
  CHECK_FALSE(environment("TASKCTL_TEST_VARIABLE"));
  const Variable empty{"TASKCTL_TEST_VARIABLE", ""};
  CHECK_FALSE(environment("TASKCTL_TEST_VARIABLE"));
  const Variable set{"TASKCTL_TEST_VARIABLE", "a b"};
  CHECK(environment("TASKCTL_TEST_VARIABLE") == "a b");
}

TEST_CASE("folders follow the xdg variables") {
  const Variable config{"XDG_CONFIG_HOME", "/cfg"};
  const Variable state{"XDG_STATE_HOME", "/st"};
  CHECK(config_folder() == "/cfg/taskctl");
  CHECK(state_folder() == "/st/taskctl");
}

TEST_CASE("folders fall back to the home folder") {
  const Variable config{"XDG_CONFIG_HOME", nullptr};
  const Variable state{"XDG_STATE_HOME", "relative/does/not/count"};
  const Variable home{"HOME", "/home/somebody"};
  CHECK(config_folder() == "/home/somebody/.config/taskctl");
  CHECK(state_folder() == "/home/somebody/.local/state/taskctl");
  const Variable no_home{"HOME", nullptr};
  CHECK(state_folder().is_absolute());  // from the account
}

TEST_CASE("the author is who runs the process") {
  const Variable sudo{"SUDO_USER", "alice"};
  const Author author = current_author();
  CHECK_FALSE(author.user.empty());
  CHECK_FALSE(author.host.empty());
  CHECK(author.pid == getpid());
  CHECK(author.sudo_user == (geteuid() == 0 ? "alice" : ""));
  const Variable no_sudo{"SUDO_USER", nullptr};
  CHECK(current_author().sudo_user.empty());
}
