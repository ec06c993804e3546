#include "engine/profile_choice.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "profile/profile_reader.hpp"
#include "profile/table_use.hpp"
#include "sql/rights.hpp"

namespace taskctl {

namespace {

/// A built-in profile that was held against the database.
struct Trial {
  Profile profile;
  std::vector<SchemaProblem> problems;
  bool has_table = false;
};

/// The variant for this engine that fits best; nullopt when none is for it. The first of equals.
std::optional<Trial> best_variant(Connection& connection, std::vector<Profile> variants) {
  std::optional<Trial> best;
  for (Profile& profile : variants) {
    if (!profile.engines.contains(connection.engine())) {
      continue;
    }
    const Schema schema = read_schema(connection, profile);
    auto problems = check_schema(profile, schema, connection.engine());
    const bool has_table = schema.find(profile.table) != nullptr;
    if (!best || std::pair{!has_table, problems.size()} < std::pair{!best->has_table, best->problems.size()}) {
      best = Trial{std::move(profile), std::move(problems), has_table};
    }
  }
  return best;
}

std::vector<Trial> try_builtin_profiles(Connection& connection, const OutlineFilter& wanted) {
  std::vector<Trial> candidates;
  const Transaction transaction{connection, Access::read};
  for (const auto& name : builtin_profile_names()) {
    if (auto best = best_variant(connection, builtin_profiles(name, wanted))) {
      candidates.push_back(std::move(*best));
    }
  }
  return candidates;
}

/// Most are not for this database: they are told by the name of their table.
std::vector<Trial> try_likely_profiles(Connection& connection) {
  return try_builtin_profiles(connection, [&connection](const ProfileOutline& outline) {
    return outline.engines.contains(connection.engine()) && has_table(connection, outline.table);
  });
}

constexpr const char* k_hint =
    "Give --profile NAME or --profile FILE; `taskctl profile list` prints the ones that are built in. Tables that "
    "stand in another schema than usual: --profile NAME:schema=SCHEMA, or in --db options=-csearch_path=SCHEMA.";

[[noreturn]] void throw_several(const std::vector<const Trial*>& fitting) {
  std::vector<std::string> names;
  for (const auto* candidate : fitting) {
    names.push_back("'" + candidate->profile.name + "'");
  }
  throw Error{ExitCode::mismatch, "several built-in profiles fit this database: " + join(names, ", "),
              "Say which one is meant with --profile NAME."};
}

[[noreturn]] void throw_none(const std::vector<Trial>& candidates) {
  const Trial* nearest = nullptr;
  std::vector<std::string> tables;
  for (const auto& candidate : candidates) {
    tables.push_back("'" + candidate.profile.table + "'");
    if (candidate.has_table && (nearest == nullptr || candidate.problems.size() < nearest->problems.size())) {
      nearest = &candidate;
    }
  }
  const std::string message = "no built-in profile fits this database: ";
  if (nearest == nullptr) {
    throw Error{ExitCode::mismatch, message + "none of the tables " + join(tables, ", ") + " is there", k_hint};
  }
  constexpr std::size_t k_shown = 3;
  std::vector<std::string> texts;
  for (const auto& problem : nearest->problems) {
    if (texts.size() < k_shown) {
      texts.push_back(problem.text);
    }
  }
  if (nearest->problems.size() > k_shown) {
    texts.push_back(fmt::format("and {} more (`taskctl profile check --profile {}` lists them)",
                                nearest->problems.size() - k_shown, nearest->profile.name));
  }
  throw Error{ExitCode::mismatch, message + "the nearest is '" + nearest->profile.name + "', but " + join(texts, ", "),
              k_hint};
}

std::string describe_style(const TimeStyle& style) {
  std::string text;
  switch (style.format) {
    case TimeFormat::timestamptz:
      return "timestamptz";
    case TimeFormat::unix_s:
      return "Unix seconds";
    case TimeFormat::unix_ms:
      return "Unix milliseconds";
    case TimeFormat::unix_us:
      return "Unix microseconds";
    case TimeFormat::unix_ns:
      return "Unix nanoseconds";
    case TimeFormat::unix_float:
      return "Unix seconds with fraction";
    case TimeFormat::julian_day:
      return "Julian day";
    case TimeFormat::naive:
      text = "timestamp";
      break;
    case TimeFormat::text:
      text = "text";
      break;
  }
  if (style.separator != '\0') {
    text += style.separator == 'T' ? " T" : " blank";
  }
  if (style.zone) {
    text += ", " + style.zone->name();
  }
  return style.zone_in_text ? text + ", zone in the text" : text;
}

/// How the profile reads this database, property by property.
class Readings {
 public:
  Readings(const Profile& profile, const Schema& schema) : m_profile{profile}, m_schema{schema} {}

  std::vector<ProfileCheck::Reading> all() {
    for (const auto& column : m_profile.key) {
      add_column("key", m_profile.table, column, column);
    }
    const Profile& p = m_profile;
    add_attributes({{"status", &p.status},
                    {"kind", &p.kind},
                    {"worker", &p.worker},
                    {"queue", &p.queue},
                    {"user", &p.user},
                    {"error", &p.error},
                    {"attempts used", &p.attempts_used},
                    {"attempts limit", &p.attempts_limit},
                    {"created", &p.times.created},
                    {"claimed", &p.times.claimed},
                    {"started", &p.times.started},
                    {"heartbeat", &p.times.heartbeat},
                    {"lease", &p.times.lease},
                    {"updated", &p.times.updated},
                    {"finished", &p.times.finished}});
    if (p.times.counts_first_seen()) {
      m_readings.push_back({"first seen", "a file of taskctl's own", "kept by taskctl observe"});
    }
    for (const auto& source : p.liveness) {
      if (!source.table.empty()) {
        add_column("liveness " + source.name, source.table, source.heartbeat, source.table + "." + source.heartbeat);
      }
    }
    if (p.cancel_request) {
      const std::string& table = p.cancel_request->table;
      const std::string& column = p.cancel_request->requested;
      add_column("cancel request", table.empty() ? p.table : table, column,
                 table.empty() ? column : table + "." + column);
    }
    return std::move(m_readings);
  }

 private:
  void add_attributes(const std::vector<std::pair<std::string, const Attribute*>>& attributes) {
    for (const auto& [property, attribute] : attributes) {
      add_attribute(property, *attribute);
    }
  }

  void add_attribute(const std::string& property, const Attribute& attribute) {
    switch (attribute.kind) {
      case Attribute::Kind::column:
        add_column(property, m_profile.table, attribute.column, attribute.column);
        break;
      case Attribute::Kind::lookup: {
        const std::string order =
            attribute.order_by.empty()
                ? ""
                : std::string{attribute.newest ? " (newest " : " (oldest "} + attribute.order_by + ")";
        add_column(property, attribute.table, attribute.value, attribute.table + "." + attribute.value + order);
        break;
      }
      case Attribute::Kind::sql:
        m_readings.push_back({property, attribute.sql ? attribute.sql->sql() : "", "expression"});
        break;
      case Attribute::Kind::none:
        break;
    }
  }

  void add_column(const std::string& property, const std::string& table, const std::string& column,
                  const std::string& source) {
    m_readings.push_back({property, source, encoding(table, column)});
  }

  [[nodiscard]] std::string encoding(const std::string& table, const std::string& column) const {
    if (const auto* declared = m_profile.encoding_of(table, column)) {
      std::vector<std::string> styles;
      for (const auto& style : declared->read) {
        styles.push_back(describe_style(style));
      }
      return join(styles, " | ");
    }
    const TableInfo* info = m_schema.find(table);
    const ColumnInfo* found = info == nullptr ? nullptr : info->find(column);
    return found == nullptr ? "missing" : found->type;
  }

  const Profile& m_profile;
  const Schema& m_schema;
  std::vector<ProfileCheck::Reading> m_readings;
};

std::string on_table(const std::string& what, const std::string& table) {
  return what + " on " + table;
}

/// "UPDATE (status) on tasks", table and columns as the profile and the database name them.
std::vector<std::string> missing_privileges(const Profile& profile, const Schema& schema) {
  std::vector<std::string> missing;
  for (const auto& [name, use] : table_uses(profile)) {
    const TableInfo* table = schema.find(name);
    if (table == nullptr) {
      continue;
    }
    std::vector<TableRight> rights = rights_to_write(use, *table);
    rights.insert(rights.begin(), right_to_read(use, *table));
    for (const TableRight& right : rights) {
      if (const std::optional<TableRight> part = missing_part(right, *table)) {
        const std::string columns = part->columns.empty() ? "" : " (" + join(part->columns, ", ") + ")";
        missing.push_back(on_table(part->privilege + columns, name));
      }
    }
  }
  return missing;
}

std::string safety_note(const Profile& profile) {
  const std::string why = profile.safety_reason.empty() ? std::string{} : ": " + profile.safety_reason;
  switch (profile.safety) {
    case Safety::read_only:
      return "read-only: this profile reports what is stuck and never repairs it" + why;
    case Safety::release_only:
      return "release-only: repairs with this profile give up claims and change nothing else" + why;
    case Safety::full:
      break;
  }
  return {};
}

}  // namespace

Profile choose_variant(Connection& connection, std::vector<Profile> variants) {
  const std::string name = variants.front().name;
  if (variants.size() == 1 && variants.front().engines.contains(connection.engine())) {
    return std::move(variants.front());
  }
  const Transaction transaction{connection, Access::read};
  std::optional<Trial> best = best_variant(connection, std::move(variants));
  if (!best) {
    throw Error{ExitCode::mismatch, fmt::format("profile '{}' is not for {}", name, to_string(connection.engine()))};
  }
  return std::move(best->profile);
}

Profile choose_profile(Connection& connection) {
  const std::vector<Trial> candidates = try_likely_profiles(connection);
  std::vector<const Trial*> fitting;
  for (const auto& candidate : candidates) {
    if (candidate.problems.empty()) {
      fitting.push_back(&candidate);
    }
  }
  if (fitting.empty()) {
    throw_none(try_builtin_profiles(connection, {}));
  }
  if (fitting.size() > 1) {
    throw_several(fitting);
  }
  return fitting.front()->profile;
}

ProfileCheck check_profile(Connection& connection, const Profile& profile, const ListRequest& request,
                           Sightings* sightings) {
  const Transaction transaction{connection, Access::read};
  const Schema schema = read_schema(connection, profile);
  ProfileCheck check;
  check.problems = check_schema(profile, schema, connection.engine());
  check.readings = Readings{profile, schema}.all();
  check.missing_privileges = missing_privileges(profile, schema);
  check.row_security = schema.with_hidden_rows();
  for (const auto& [name, table] : schema.tables) {
    for (const auto& trigger : table.triggers) {
      check.triggers.push_back(on_table(trigger, name));
    }
  }
  const TableInfo* tasks = schema.find(profile.table);
  if (check.problems.empty() && tasks != nullptr && tasks->can_select) {
    TaskStore store{connection, profile, schema};
    if (sightings != nullptr) {
      store.watch(*sightings);
    }
    check.statuses = store.status_counts();
    const bool readable = std::ranges::all_of(schema.tables, [](const auto& entry) { return entry.second.can_select; });
    if (readable) {
      check.found = list_stuck(store, request).summary;
    }
  }
  if (check.problems.empty()) {
    check.version = read_schema_version(connection, profile, schema);
  }
  check.note = safety_note(profile);
  return check;
}

}  // namespace taskctl
