#include "cli/config_file.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <functional>

#include "base/duration.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "profile/profile_name.hpp"
#include "store/location.hpp"

namespace taskctl {

namespace {

// The path in sqlite://PATH, sqlite:PATH or PATH.
std::string without_scheme(const std::string& location) {
  if (const std::size_t end = location.find("://"); end != std::string::npos) {
    return location.substr(end + 3);
  }
  return location.starts_with("sqlite:") ? location.substr(7) : location;
}

class Reader {
 public:
  Reader(const OwnedFile& file, std::string path) : m_file{file}, m_path{std::move(path)} {}

  ConfigFile read() {
    ConfigFile config;
    const toml::table root = parse();
    for (const auto& [key, node] : root) {
      const std::string name{key.str()};
      if (name == "target" && node.is_string()) {
        config.default_target = {text_of(node, name), where(node)};
      } else if (name == "target" && node.is_table()) {
        read_targets(*node.as_table(), config);
      } else if (name == "default_target") {
        config.default_target = {text_of(node, name), where(node)};
      } else {
        unknown(node, name, {"default_target", "target"},
                "A configuration file holds default_target and [target.NAME].");
      }
    }
    return config;
  }

 private:
  toml::table parse() const {
    try {
      return toml::parse(m_file.text, m_path);
    } catch (const toml::parse_error& error) {
      const std::string what{error.description()};
      throw Error{ExitCode::usage, fmt::format("{}:{}: {}", m_path, error.source().begin.line, what),
                  what.find("'target") == std::string::npos
                      ? ""
                      : "TOML allows 'target' once: write default_target = \"NAME\" beside [target.NAME]."};
    }
  }

  void read_targets(const toml::table& targets, ConfigFile& config) const {
    for (const auto& [key, node] : targets) {
      const std::string name{key.str()};
      const toml::table* table = node.as_table();
      if (table == nullptr) {
        throw Error{ExitCode::usage, fmt::format("{}: 'target.{}' must be a table", where(node), name),
                    fmt::format("Write [target.{}] and its keys on the following lines.", name)};
      }
      TargetConfig target;
      target.name = name;
      for (const auto& [inner, value] : *table) {
        read_key(target, std::string{inner.str()}, value);
      }
      config.targets.emplace(name, std::move(target));
    }
  }

  void read_key(TargetConfig& target, const std::string& key, const toml::node& node) const {
    using Take = std::function<void()>;
    const std::string full = "target." + target.name + "." + key;
    const auto duration = [&](Setting<std::optional<Duration>>& setting) -> Take {
      return [&] { setting = {duration_of(node, full), where(node)}; };
    };
    const auto path = [&](Setting<std::string>& setting) -> Take {
      return [&] { setting = {from_here(text_of(node, full)), where(node)}; };
    };
    const auto text = [&](Setting<std::string>& setting) -> Take {
      return [&] { setting = {text_of(node, full), where(node)}; };
    };
    const std::map<std::string, Take> keys{
        {"db",
         [&] {
           target.db = {database_of(node, full), where(node)};
         }},
        {"profile",
         [&] {
           target.profile = {profile_of(node, full), where(node)};
         }},
        {"password_file", path(target.password_file)},
        {"backup_dir", path(target.backup_folder)},
        {"journal_schema", text(target.journal_schema)},
        {"max_age", duration(target.max_age)},
        {"reap", duration(target.reap)},
        {"settle", duration(target.settle)},
        {"cancel_grace", duration(target.cancel_grace)},
        {"max_changes",
         [&] {
           target.max_changes = {count_of(node, full), where(node)};
         }},
        {"protected",
         [&] {
           target.is_protected = {flag_of(node, full), where(node)};
         }},
    };
    if (const auto found = keys.find(key); found != keys.end()) {
      found->second();
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, take] : keys) {
      names.push_back(name);
    }
    unknown(node, key, names, "Keys of a target are " + join(names, ", ") + ".");
  }

  std::string where(const toml::node& node) const { return fmt::format("{}:{}", m_path, node.source().begin.line); }

  [[noreturn]] void unknown(const toml::node& node, const std::string& key, const std::vector<std::string>& known,
                            const std::string& all) const {
    const std::string near = nearest(key, known);
    throw Error{ExitCode::usage, fmt::format("{}: unknown key '{}'", where(node), key),
                (near.empty() ? "" : fmt::format("Did you mean '{}'? ", near)) + all};
  }

  [[noreturn]] void bad_type(const toml::node& node, const std::string& key, std::string_view expected) const {
    throw Error{ExitCode::usage, fmt::format("{}: '{}' must be {}", where(node), key, expected)};
  }

  std::string text_of(const toml::node& node, const std::string& key) const {
    const auto text = node.value_exact<std::string>();
    if (!text || text->empty()) {
      bad_type(node, key, "a text that is not empty");
    }
    return *text;
  }

  bool flag_of(const toml::node& node, const std::string& key) const {
    const auto flag = node.value_exact<bool>();
    if (!flag) {
      bad_type(node, key, "true or false");
    }
    return *flag;
  }

  std::size_t count_of(const toml::node& node, const std::string& key) const {
    const auto count = node.value_exact<std::int64_t>();
    if (!count || *count < 0) {
      bad_type(node, key, "a number of tasks");
    }
    return static_cast<std::size_t>(*count);
  }

  Duration duration_of(const toml::node& node, const std::string& key) const {
    const auto text = node.value_exact<std::string>();
    if (!text) {
      bad_type(node, key, "a duration in quotes, such as \"90s\" or \"1h30m\"");
    }
    try {
      return parse_duration(*text, BareNumber::refused, key);
    } catch (const Error& error) {
      throw Error{error.code(), where(node) + ": " + error.message(), error.hint()};
    }
  }

  // A profile is a name, or a file when it looks like one (as in find_profiles).
  std::string profile_of(const toml::node& node, const std::string& key) const {
    const std::string text = text_of(node, key);
    try {
      return parse_profile_name(text).is_path() ? from_here(text) : text;
    } catch (const Error& error) {
      throw Error{error.code(), where(node) + ": " + error.message(), error.hint()};
    }
  }

  std::string database_of(const toml::node& node, const std::string& key) const {
    std::string text = text_of(node, key);
    try {
      const Location location = parse_location(text);
      if (location.has_password && (m_file.readable_by_others() || !m_file.owned_by_caller())) {
        throw Error{ExitCode::refused,
                    fmt::format("{}: '{}' holds a password and others can read the file", where(node), key),
                    fmt::format("Make it yours and unreadable for others: chmod 600 {}.", m_path)};
      }
      if (location.engine == Engine::sqlite) {
        text = "sqlite:" + from_here(without_scheme(text));
      }
    } catch (const Error& error) {
      if (error.code() != ExitCode::usage) {
        throw;
      }
      throw Error{error.code(), where(node) + ": " + error.message(), error.hint()};
    }
    return text;
  }

  // The shell does not expand what stands in a file.
  std::string from_here(const std::string& path) const {
    const auto home = environment("HOME");
    if (path.starts_with("~/") && home) {
      return *home + path.substr(1);
    }
    return (std::filesystem::absolute(m_path).parent_path() / path).lexically_normal().string();
  }

  const OwnedFile& m_file;
  std::string m_path;
};

}  // namespace

ConfigFile parse_config_file(const OwnedFile& file, const std::string& path) {
  return Reader{file, path}.read();
}

}  // namespace taskctl
