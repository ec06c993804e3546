#include "profile/profile_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "profile/builtin_texts.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

constexpr std::int64_t k_format = 1;
constexpr std::uint64_t k_largest_file = 1U << 20U;
constexpr std::string_view k_built_in = "built-in";

void check_format(const Item& root) {
  const Item& item = root.at("format", "the version of the profile format, format = 1");
  const std::int64_t format = item.integer("format = 1");
  if (format != k_format) {
    item.fail(fmt::format("is {}", format), "format = 1", "This taskctl reads format 1 only.");
  }
}

/// Lower-case letters, digits and single dashes: the name is typed on the command line.
std::string read_name(const Item& root) {
  constexpr std::string_view k_expected = "a name of lower-case letters, digits and dashes";
  const Item& item = root.at("name", k_expected);
  const std::string& name = item.text(k_expected);
  const bool allowed = std::all_of(name.begin(), name.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!allowed || name.front() == '-' || name.size() > 64) {
    item.fail(fmt::format("'{}' is not a name", truncate_to_width(printable(name), 80)), k_expected);
  }
  return name;
}

constexpr std::string_view k_engines_expected = "[\"sqlite\"], [\"postgres\"] or both";

void read_engines(const Item& item, Profile& profile) {
  for (const std::string& name : item.texts(k_engines_expected)) {
    if (name != "sqlite" && name != "postgres") {
      item.fail_unknown(name, {"sqlite", "postgres"});
    }
    profile.engines.insert(name == "sqlite" ? Engine::sqlite : Engine::postgres);
  }
}

void read_head(const Item& root, Profile& profile) {
  check_format(root);
  root.only({"format",         "name",     "summary",  "engines",   "safety",     "safety_reason",
             "version",        "task",     "encoding", "times",     "class",      "liveness",
             "cancel_request", "evidence", "hazard",   "rules",     "thresholds", "defaults",
             "reasons",        "outcome",  "rule",     "invariant", "derived",    "triggers"});
  profile.name = read_name(root);
  if (const Item* summary = root.find("summary")) {
    profile.summary = summary->any_text("one line about the queue");
  }
  read_engines(root.at("engines", k_engines_expected), profile);
  if (const Item* triggers = root.find("triggers")) {
    const std::vector<std::string> names = triggers->texts("names of triggers");
    profile.triggers = {names.begin(), names.end()};
  }
  profile.safety =
      root.at("safety", "how far repair may go: \"read-only\", \"release-only\" or \"full\"")
          .choice<Safety>(
              {{"read-only", Safety::read_only}, {"release-only", Safety::release_only}, {"full", Safety::full}});
  if (const Item* reason = root.find("safety_reason")) {
    if (profile.safety == Safety::full) {
      reason->fail("explains a limit that is not there", "safety = \"read-only\" or \"release-only\"");
    }
    profile.safety_reason = reason->text("why repair may not go further");
  }
}

/// `[parameters]`: the values that the profile has by itself, and those that were given.
ProfileParameters read_parameters(const Item& root, const ProfileParameters& given) {
  ProfileParameters values;
  if (const Item* item = root.find("parameters")) {
    for (const auto& [name, value] : item->table("a table [parameters]").entries()) {
      constexpr std::string_view k_expected = "letters, digits and underscores, at most 63";
      if (name == "tasks" || !is_parameter_value(name)) {
        value.fail(fmt::format("'{}' cannot be the name of a parameter", printable(name)), k_expected);
      }
      if (!is_parameter_value(value.text(k_expected))) {
        value.fail(fmt::format("'{}' cannot stand in the name of a table", printable(value.text(k_expected))),
                   k_expected);
      }
      values[name] = value.text(k_expected);
    }
  }
  for (const auto& [name, value] : given) {
    if (!values.contains(name)) {
      std::vector<std::string> known;
      for (const auto& [known_name, known_value] : values) {
        known.push_back("'" + known_name + "'");
      }
      throw Error{ExitCode::usage, fmt::format("profile '{}' has no parameter '{}'", read_name(root), printable(name)),
                  known.empty() ? "It has none at all." : fmt::format("It has {}.", join(known, ", "))};
    }
    values[name] = value;
  }
  return values;
}

/// The text, the variant and the parameters: whatever makes it another profile.
std::string hash_of(std::string_view toml, const std::string& variant, const ProfileParameters& given) {
  std::string text{toml};
  if (!variant.empty()) {
    text += "\nvariant " + variant;
  }
  for (const auto& [name, value] : given) {
    text += fmt::format("\n{}={}", name, value);
  }
  return sha256(text);
}

Profile read_profile(const Item& root, const std::string& file) {
  Draft draft;
  draft.profile.file = file;
  read_head(root, draft.profile);
  read_encodings(root, draft);
  read_task(root, draft);
  read_classes(root, draft);
  read_liveness(root, draft);
  read_cancel_request(root, draft);
  read_evidence(root, draft);
  read_hazards(root, draft);
  read_rules(root, draft);
  read_thresholds(root, draft);
  read_defaults(root, draft);
  read_operations(root, draft);
  read_row_rules(root, draft);
  read_times(root, draft);
  read_version(root, draft);
  check_draft(draft);
  return std::move(draft.profile);
}

/// `[[variant]]`: its name, and what is different in it from the rest of the file.
std::vector<std::pair<std::string, Item>> read_variants(const Item& root) {
  const Item base = root.without("variant").without("parameters");
  std::vector<std::pair<std::string, Item>> variants;
  for (const Item& item : root.tables("variant")) {
    constexpr std::string_view k_expected = "the name of the variant, such as a version";
    const Item& name = item.at("name", k_expected);
    for (const auto& [other, content] : variants) {
      if (other == name.text(k_expected)) {
        name.fail(fmt::format("'{}' stands twice", printable(other)), "each variant once");
      }
    }
    variants.emplace_back(name.text(k_expected), base.merged_with(item.without("name")));
  }
  if (variants.empty()) {
    variants.emplace_back("", base);
  }
  return variants;
}

/// Of a variant, or of the profile that it is a variant of; nothing is copied but what is asked for.
const Item* find_in(const Item* variant, const Item& root, std::initializer_list<std::string_view> path) {
  for (const Item* from : {variant, &root}) {
    for (const std::string_view key : path) {
      from = from == nullptr ? nullptr : from->find(key);
    }
    if (from != nullptr) {
      return from;
    }
  }
  return nullptr;
}

ProfileOutline read_outline(const Item* variant, const Item& root, const ProfileParameters& parameters) {
  ProfileOutline outline;
  if (const Item* engines = find_in(variant, root, {"engines"})) {
    Profile profile;
    read_engines(*engines, profile);
    outline.engines = profile.engines;
  }
  if (const Item* table = find_in(variant, root, {"task", "table"})) {
    outline.table = table->with_parameters(parameters).text("the name of a table");
  }
  return outline;
}

bool is_any_wanted(const Item& root, const ProfileParameters& parameters, const OutlineFilter& wanted) {
  const std::vector<Item>& variants = root.tables("variant");
  return variants.empty() ? wanted(read_outline(nullptr, root, parameters))
                          : std::ranges::any_of(variants, [&](const Item& variant) {
                              return wanted(read_outline(&variant, root, parameters));
                            });
}

}  // namespace

std::vector<Profile> parse_profiles(std::string_view toml, const std::string& file, const ProfileParameters& parameters,
                                    const OutlineFilter& wanted) {
  const Item written = Item::parse(toml, file);
  const ProfileParameters values = read_parameters(written, parameters);
  if (wanted && !is_any_wanted(written, values, wanted)) {
    return {};
  }
  const Item root = written.with_parameters(values);
  std::vector<Profile> profiles;
  for (const auto& [variant, content] : read_variants(root)) {
    profiles.push_back(read_profile(content, file));
    profiles.back().variant = variant;
    profiles.back().hash = hash_of(toml, variant, parameters);
  }
  return profiles;
}

Profile parse_profile(std::string_view toml, const std::string& file) {
  return parse_profiles(toml, file).front();
}

std::vector<Profile> load_profile_file(const std::filesystem::path& path, const ProfileParameters& parameters) {
  std::string text;
  try {
    text = read_file(path, k_largest_file);
  } catch (const Error& e) {
    throw Error{ExitCode::usage, e.message(), e.hint()};
  }
  return parse_profiles(text, path.string(), parameters);
}

std::vector<std::string> builtin_profile_names() {
  std::vector<std::string> names;
  names.reserve(k_builtin_profile_texts.size());
  for (const BuiltinProfileText& profile : k_builtin_profile_texts) {
    names.emplace_back(profile.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view builtin_profile_text(std::string_view name) {
  for (const BuiltinProfileText& profile : k_builtin_profile_texts) {
    if (profile.name == name) {
      return profile.text;
    }
  }
  const std::vector<std::string> names = builtin_profile_names();
  const std::string near = nearest(name, names);
  throw Error{ExitCode::usage, fmt::format("no profile '{}' is built in", printable(name)),
              near.empty()
                  ? fmt::format("Built in are {}; a profile of your own is given as a path.", join(names, ", "))
                  : fmt::format("Did you mean '{}'?", near)};
}

std::vector<Profile> builtin_profiles(std::string_view name, const OutlineFilter& wanted) {
  return parse_profiles(builtin_profile_text(name), std::string{k_built_in}, {}, wanted);
}

std::vector<Profile> find_profiles(const std::string& wanted) {
  const ProfileName name = parse_profile_name(wanted);
  return name.is_path() ? load_profile_file(name.name, name.parameters)
                        : parse_profiles(builtin_profile_text(name.name), std::string{k_built_in}, name.parameters);
}

Profile find_profile(const std::string& wanted) {
  return find_profiles(wanted).front();
}

}  // namespace taskctl
