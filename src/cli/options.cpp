#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "cli/value_kind.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_largest_count = 1'000'000'000;

// A text that names something: empty would read as "not given".
CLI::Option* add_name(CLI::App& app, const std::string& name, const std::string& description, std::string& value) {
  return add_parsed(app, name, description, [name, &value](const std::string& text) {
    if (text.empty()) {
      throw Error{ExitCode::usage, fmt::format("option '{}' needs a value, and it is empty", name)};
    }
    value = text;
  });
}

CLI::Option* add_texts(CLI::App& app, const std::string& name, const std::string& description,
                       std::vector<std::string>& values) {
  return add_repeated(app, name, description, [&values](const std::string& text) { values.push_back(text); });
}

void add_text_filter(CLI::App& app, const std::string& name, const std::string& type, const std::string& what,
                     std::vector<std::string>& values) {
  add_texts(app, name, fmt::format("only tasks with this {} (exact; repeatable)", what), values)
      ->type_name(type)
      ->group("Filters");
}

CLI::Option* add_wait(CLI::App& app, const std::string& name, const std::string& description,
                      std::optional<Duration>& value) {
  return add_parsed(
             app, name, description,
             [name, &value](const std::string& text) { value = parse_duration(text, BareNumber::refused, name); })
      ->type_name("DURATION");
}

// Refuses what is not one of `choices`, and hands on what is.
std::function<void(const std::string&)> one_of(const std::string& noun, const std::vector<std::string>& choices,
                                               std::function<void(const std::string&)> take) {
  return [noun, choices, take = std::move(take)](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      throw_unknown_choice(noun, text, choices);
    }
    take(text);
  };
}

template <typename Enum, typename List>
std::vector<std::string> names_of(const List& values) {
  std::vector<std::string> names;
  for (const Enum value : values) {
    names.emplace_back(to_string(value));
  }
  return names;
}

CLI::Option* add_filter(CLI::App& app, const std::string& name, const std::string& noun,
                        const std::vector<std::string>& names, const std::function<void(const std::string&)>& take) {
  return set_choices(add_repeated(app, name,
                                  fmt::format("only findings with this {} (repeatable): {}", noun, join(names, ", ")),
                                  one_of(noun, names, take)),
                     names)
      ->group("Filters");
}

CLI::Option* add_one_of(CLI::App& app, const std::string& name, const std::string& noun, const std::string& description,
                        const std::vector<std::string>& choices, std::string& value) {
  return add_choice(app, name, noun, fmt::format("{}: {} (default {})", description, join(choices, ", "), value),
                    choices, [&value](const std::string& text) { value = text; });
}

}  // namespace

CLI::Option* add_parsed(CLI::App& app, const std::string& name, const std::string& description,
                        std::function<void(const std::string&)> parse) {
  // The callback form of add_option: no conversion of CLI11's own comes between the text and us.
  CLI::callback_t callback = [parse = std::move(parse)](const CLI::results_t& results) {
    for (const std::string& text : results) {
      parse(text);
    }
    return true;
  };
  return app.add_option(name, std::move(callback))->description(description)->type_name("VALUE");
}

CLI::Option* add_repeated(CLI::App& app, const std::string& name, const std::string& description,
                          std::function<void(const std::string&)> parse) {
  return add_parsed(app, name, description, std::move(parse))
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, const std::string& noun, const std::string& description,
                        const std::vector<std::string>& choices, std::function<void(const std::string&)> take) {
  return set_choices(add_parsed(app, name, description, one_of(noun, choices, std::move(take))), choices);
}

void throw_unknown_choice(const std::string& noun, const std::string& text, const std::vector<std::string>& choices) {
  const std::string near = nearest(text, choices);
  throw Error{ExitCode::usage, fmt::format("unknown {} '{}'", noun, text),
              fmt::format("{}Choices are {}.", near.empty() ? "" : fmt::format("Did you mean '{}'? ", near),
                          join(choices, ", "))};
}

std::size_t parse_count(const std::string& text, const std::string& option) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  std::size_t count = 0;
  const char* end = text.data() + text.size();
  const bool padded = text.size() > 1 && text.front() == '0';
  if (!digits || padded || std::from_chars(text.data(), end, count).ec != std::errc{} || count > k_largest_count) {
    throw Error{ExitCode::usage, fmt::format("option '{}': '{}' is not a count", option, text),
                fmt::format("Write digits only, without leading zeros, at most {}.", k_largest_count)};
  }
  return count;
}

void TargetOptions::declare(CLI::App& app) {
  const std::string group = "Target";
  add_name(app, "--db", "the database: a SQLite file, postgres://… or a libpq keyword string", db)
      ->type_name("PATH|URL")
      ->group(group);
  add_name(app, "--target", "a target of the configuration file", target)->type_name("TARGET")->group(group);
  add_name(app, "--profile", "a built-in profile or a file; chosen by looking at the tables otherwise", profile)
      ->type_name("PROFILE")
      ->group(group);
  add_name(app, "--config", "read this configuration file instead of the usual ones", config)
      ->type_name("FILE")
      ->group(group);
  add_name(app, "--password-file", "file (mode 0600) whose first line is the password", password_file)
      ->type_name("FILE")
      ->group(group);
  add_name(app, "--journal-schema", "PostgreSQL schema of the journal (default taskctl)", journal_schema)
      ->type_name("NAME")
      ->group(group);
  add_wait(app, "--lock-timeout", "wait at most this long for locks of others (default 5s)", lock_timeout)
      ->group(group);
  add_parsed(app, "--now", "take this as the present when ages are measured (RFC 3339, with a zone)",
             [this](const std::string& text) {
               static_cast<void>(parse_instant(text, "--now"));
               now = text;
             })
      ->type_name("TIME")
      ->group(group);
  add_texts(app, "--accept-hazard",
            "go on although this hazard holds: alive, young, rls, unmapped, or one of the profile's", accept_hazards)
      ->type_name("HAZARD")
      ->group(group);
}

std::string TargetOptions::words() const {
  std::string words;
  const auto add = [&words](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      words += fmt::format(" {} {}", name, shell_quoted(redact(value)));
    }
  };
  add("--target", target);
  add("--db", db);
  add("--config", config);
  add("--profile", profile);
  return words;
}

void OutputOptions::declare(CLI::App& app) {
  const std::vector<std::string> names = names_of<OutputFormat>(allowed);
  add_choice(app, "--output", "output format",
             fmt::format("form of the result: {} (default {})", join(names, ", "), to_string(format)), names,
             [this](const std::string& text) { format = parse_output_format(text).value_or(format); })
      ->type_name("FORMAT")
      ->group("Output");
  app.add_flag("-q,--quiet", quiet)
      ->description("print nothing on success but the result; warnings and errors stay")
      ->group("Output");
  add_one_of(app, "--color,--colour", "colour mode", "colours", {"auto", "always", "never"}, colour)
      ->type_name("WHEN")
      ->group("Output");
}

void SelectorOptions::declare_attributes(CLI::App& app) {
  add_text_filter(app, "--worker", "WORKER", "worker", selector.workers);
  add_text_filter(app, "--kind", "KIND", "kind", selector.kinds);
  add_text_filter(app, "--queue", "QUEUE", "queue", selector.queues);
  add_text_filter(app, "--user", "USER", "user", selector.users);
  add_text_filter(app, "--status", "STATUS", "native status", selector.statuses);
}

void SelectorOptions::declare(CLI::App& app) {
  add_text_filter(app, "--id", "ID", "id", selector.ids);
  declare_attributes(app);
  add_filter(app, "--rule", "rule", names_of<Rule>(k_rules), [this](const std::string& text) {
    selector.rules.push_back(parse_rule(text).value());
  })->type_name("RULE");
  const std::vector<Certainty> certainties{Certainty::certain, Certainty::probable, Certainty::possible,
                                           Certainty::none};
  add_filter(app, "--certainty", "certainty", names_of<Certainty>(certainties), [this](const std::string& text) {
    selector.certainties.push_back(parse_certainty(text).value());
  })->type_name("CERTAINTY");
}

void TargetOptions::declare_alive_from(CLI::App& app) {
  add_name(app, "--alive-from", "a file, or a command for sh, that names workers or tasks that are alive, one a line",
           alive_from)
      ->type_name("COMMAND|FILE")
      ->group("Target");
}

void AgeOptions::declare(CLI::App& app, const std::string& what) {
  add_parsed(app, "--max-age", what + ": 90s, 30m, 1h30m, 2d, or hours (6, 0.5)",
             [this](const std::string& text) { max_age = parse_duration(text, BareNumber::hours, "--max-age"); })
      ->type_name("AGE")
      ->group("Filters");
}

void ChangeOptions::declare(CLI::App& app, bool with_backup) {
  const std::string group = "Change";
  app.add_flag("--dry-run", dry_run)
      ->description("show what would be done, on a connection that cannot write")
      ->group(group);
  app.add_flag("--yes", yes)->description("do it without asking")->group(group);
  add_parsed(app, "--reason", "why; written to the journal and, where the profile says so, to the task",
             [this](const std::string& text) { reason = text; })
      ->type_name("TEXT")
      ->group(group);
  const auto count = [&](const std::string& name, const std::string& description, std::size_t smallest,
                         std::optional<std::size_t>& value) {
    add_parsed(app, name, description,
               [name, smallest, &value](const std::string& text) {
                 value = parse_count(text, name);
                 if (*value < smallest) {
                   throw Error{ExitCode::usage, fmt::format("option '{}' must be at least {}", name, smallest)};
                 }
               })
        ->type_name("N")
        ->group(group);
  };
  count("--max-changes", "refuse to change more tasks, and rows beside them, than this (default 1000)", 0, max_changes);
  count("--batch-size", "tasks in one transaction (default: as many as keep it short)", 1, batch_size);
  add_wait(app, "--lock-wait", "wait this long for another run to end (default: not at all)", lock_wait)->group(group);
  add_name(app, "--confirm", "name of the protected target that is meant", confirm)->type_name("TARGET")->group(group);
  if (!with_backup) {
    return;
  }
  CLI::Option* kind = add_one_of(app, "--backup", "kind of backup", "backup before the change",
                                 {"auto", "tables", "rows", "none"}, backup)
                          ->type_name("KIND")
                          ->group(group);
  app.add_flag("--no-backup", no_backup)->description("the same as --backup none")->group(group)->excludes(kind);
  add_name(app, "--backup-dir", "folder for the backup", backup_folder)->type_name("DIR")->group(group);
  add_wait(app, "--max-stall", "refuse a backup that would keep writers waiting longer (default 2s)", max_stall)
      ->group(group);
  add_wait(app, "--reconnect-wait",
           "go on when a lost connection comes back within this time (default 30s; 0s: not at all)", reconnect_wait)
      ->group(group);
  add_parsed(app, "--sleep", "pause this long after every batch, with nothing locked (default: not at all)",
             [this](const std::string& text) { sleep = parse_duration(text, BareNumber::refused, "--sleep"); })
      ->type_name("DURATION")
      ->group(group);
  add_wait(app, "--max-runtime", "begin no further batch once the command has run this long; ends with 12", max_runtime)
      ->group(group);
  add_parsed(app, "--stop-file", "begin no further batch once this file is there; ends with 12",
             [this](const std::string& text) {
               if (text.empty()) {
                 throw Error{ExitCode::usage, "option '--stop-file' needs a value, and it is empty"};
               }
               stop_file = text;
             })
      ->type_name("FILE")
      ->group(group);
}

}  // namespace taskctl
