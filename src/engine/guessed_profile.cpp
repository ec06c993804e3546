#include "engine/guessed_profile.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "sql/column_type.hpp"
#include "sql/dialect.hpp"

namespace taskctl {

namespace {

/// A TOML string: literal where that is readable, with escapes where it has to be.
std::string toml_string(std::string_view text) {
  const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (text.find('"') != std::string::npos && text.find('\'') == std::string::npos && !control) {
    return fmt::format("'{}'", text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string toml_key(std::string_view text) {
  const bool bare = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-');
  });
  return bare ? std::string{text} : toml_string(text);
}

std::string toml_array(const std::vector<std::string>& values) {
  return "[" + join(values, ", ") + "]";
}

/// Lines of `key = value  # why`, their values and comments in columns.
class Block {
 public:
  void add(std::string key, std::string value, std::string why) {
    m_lines.push_back({std::move(key), std::move(value), std::move(why)});
  }
  [[nodiscard]] std::string text() const {
    std::size_t keys = 0;
    std::size_t values = 0;
    for (const Line& line : m_lines) {
      keys = std::max(keys, display_width(line.key));
      values = std::max(values, line.value.size() <= k_widest ? display_width(line.value) : 0);
    }
    std::string text;
    for (const Line& line : m_lines) {
      std::string row = line.key + pad(keys, line.key) + " = " + line.value;
      if (!line.why.empty()) {
        row += pad(values, line.value) + "  # " + printable(line.why);
      }
      text += row + "\n";
    }
    return text;
  }

 private:
  static constexpr std::size_t k_widest = 40;
  struct Line {
    std::string key, value, why;
  };
  static std::string pad(std::size_t width, const std::string& text) {
    const std::size_t own = display_width(text);
    return std::string(own < width ? width - own : 0, ' ');
  }
  std::vector<Line> m_lines;
};

std::string as_comment(const std::string& text) {
  std::istringstream lines{text};
  std::string commented;
  for (std::string line; std::getline(lines, line);) {
    commented += line.empty() ? "#\n" : "# " + line + "\n";
  }
  return commented;
}

class ProfileText {
 public:
  ProfileText(const ProfileGuess& guess, const TableSketch& tasks, const ProfileTextOptions& options)
      : m_guess{guess}, m_tasks{tasks}, m_options{options} {
    name_encodings();
  }

  std::string text() {
    return head() + task() + times() + encodings() + classes() + liveness() + thresholds() + repairs();
  }

 private:
  // Which encodings there are, each with a name ------------------------------------------------------------------

  static std::string style_text(const TimeStyle& style) {
    Block block;
    block.add("format", toml_string(format_name(style.format)), "");
    if (style.separator != '\0') {
      block.add("separator", toml_string(std::string(1, style.separator)), "");
    }
    if (style.zone_in_text || style.zone) {
      block.add("zone", toml_string(style.zone_in_text ? "in-text" : style.zone->name()), "");
    }
    if (style.fraction > 0) {
      block.add("fraction", fmt::to_string(style.fraction), "digits that are written; any number is read");
    }
    return block.text();
  }

  static std::string usual_name(const TimeStyle& style) {
    switch (style.format) {
      case TimeFormat::timestamptz:
        return "database";
      case TimeFormat::naive:
        return "clock";
      case TimeFormat::text:
        return "text";
      case TimeFormat::unix_s:
        return "seconds";
      case TimeFormat::unix_ms:
        return "milliseconds";
      case TimeFormat::unix_us:
        return "microseconds";
      case TimeFormat::unix_ns:
        return "nanoseconds";
      case TimeFormat::unix_float:
        return "fractions";
      case TimeFormat::julian_day:
        break;
    }
    return "days";
  }

  void name_style(const TimeStyle& style) {
    const std::string text = style_text(style);
    if (std::ranges::any_of(m_styles, [&](const auto& entry) { return entry.second == text; })) {
      return;
    }
    const std::string usual = usual_name(style);
    std::string name = usual;
    const auto taken = [&] {
      return std::ranges::any_of(m_styles, [&](const auto& entry) { return entry.first == name; });
    };
    for (int number = 2; taken(); ++number) {
      name = fmt::format("{}-{}", usual, number);
    }
    m_styles.emplace_back(name, text);
  }

  void name_encodings() {
    for (const auto& [column, encoding] : m_guess.encodings) {
      std::ranges::for_each(encoding.read, [this](const TimeStyle& style) { name_style(style); });
    }
    if (m_guess.workers) {
      std::ranges::for_each(m_guess.workers->encoding.read, [this](const TimeStyle& style) { name_style(style); });
    }
  }

  [[nodiscard]] std::string names_of(const EncodingGuess& encoding) const {
    std::vector<std::string> names;
    for (const TimeStyle& style : encoding.read) {
      const std::string text = style_text(style);
      const auto found = std::ranges::find_if(m_styles, [&](const auto& entry) { return entry.second == text; });
      names.push_back(toml_string(found->first));
    }
    return names.size() == 1 ? names.front() : toml_array(names);
  }

  // The parts of the file ------------------------------------------------------------------------------------------

  [[nodiscard]] std::string head() const {
    Block block;
    block.add("format", "1", "");
    block.add("name", toml_string(m_options.name), "");
    block.add("engines", toml_array({toml_string(to_string(m_guess.engine))}), "");
    block.add("safety", toml_string(to_string(m_options.safety)),
              m_options.safety == Safety::full ? "repairs are written as the end of this file says"
                                               : "only looks; \"full\" when list-stuck is right, see the end");
    return "# Made by 'taskctl profile init': guesses, each with its reason. Correct what is wrong, then see what it "
           "says:\n"
           "# taskctl profile check --profile ./FILE, then taskctl list-stuck --profile ./FILE\n" +
           block.text();
  }

  static std::string reason_of(const Guess& guess) {
    return guess.others.empty() ? guess.why : fmt::format("{}; or: {}", guess.why, join(guess.others, ", "));
  }

  [[nodiscard]] std::string task() const {
    std::vector<std::string> key;
    std::ranges::transform(m_guess.key, std::back_inserter(key), toml_string);
    Block block;
    block.add("table", toml_string(m_guess.table), m_guess.table_why);
    block.add("key", toml_array(key), m_guess.key_why);
    for (const char* flag : {"status", "kind", "queue", "user", "worker", "error"}) {
      const Guess& guess = m_guess.of(flag);
      const bool found = !guess.column.empty();
      const bool status = std::string_view{flag} == "status";
      block.add((found ? "" : "# ") + std::string{flag}, found ? toml_string(guess.column) : "\"…\"",
                found    ? reason_of(guess)
                : status ? "the classes below are made of other columns"
                         : fmt::format("{}: --{} COLUMN", guess.why, flag));
    }
    const std::string& used = m_guess.of("attempts").column;
    const std::string& limit = m_guess.of("attempts-limit").column;
    block.add(used.empty() ? "# attempts" : "attempts",
              used.empty()    ? "{ used = \"…\", limit = \"…\" }"
              : limit.empty() ? fmt::format("{{ used = {} }}", toml_string(used))
                              : fmt::format("{{ used = {}, limit = {} }}", toml_string(used), toml_string(limit)),
              used.empty()    ? m_guess.of("attempts").why + ": --attempts COLUMN --attempts-limit COLUMN"
              : limit.empty() ? "named so; no column looks like their limit: --attempts-limit COLUMN"
                              : "named so");
    return "\n[task]\n" + block.text();
  }

  [[nodiscard]] std::string times() const {
    Block block;
    for (const char* flag : {"created", "claimed", "started", "heartbeat", "lease", "updated", "finished"}) {
      const Guess& guess = m_guess.of(flag);
      const bool read = !m_guess.time(flag).empty();
      const std::string why =
          read ? reason_of(guess)
          : guess.column.empty()
              ? fmt::format("{}: --{} COLUMN", guess.why, flag)
              : fmt::format("named so, but no value says how it is written: --encoding {}=FORMAT", guess.column);
      block.add((read ? "" : "# ") + std::string{flag}, guess.column.empty() ? "\"…\"" : toml_string(guess.column),
                why);
    }
    if (m_guess.counts_first_seen) {
      block.add("start_fallback", toml_array({toml_string(k_first_seen)}),
                "no column says when a task began: run 'taskctl observe' from cron, it notes who is active");
    }
    return "\n[task.time]\n" + block.text();
  }

  [[nodiscard]] std::string encodings() const {
    std::string text;
    const bool zoneless = !m_guess.zone_why.empty();
    for (const auto& [name, style] : m_styles) {
      const bool zone =
          zoneless && style.find("zone") != std::string::npos && style.find("in-text") == std::string::npos;
      text += fmt::format("\n[encoding.{}]\n{}{}", name, zone ? "# zone: " + m_guess.zone_why + "; --zone ZONE\n" : "",
                          style);
    }
    Block block;
    std::set<std::string> written;
    for (const char* flag : {"created", "claimed", "started", "heartbeat", "lease", "updated", "finished"}) {
      const std::string column = m_guess.time(flag);
      if (!column.empty() && written.insert(column).second) {
        const EncodingGuess& encoding = m_guess.encodings.at(column);
        block.add(toml_key(column), names_of(encoding), encoding.why);
      }
    }
    if (!written.empty()) {
      text += fmt::format("\n[times.{}]\n{}", toml_key(m_guess.table), block.text());
    }
    if (m_guess.workers) {
      Block beat;
      beat.add(toml_key(m_guess.workers->heartbeat), names_of(m_guess.workers->encoding),
               m_guess.workers->encoding.why);
      text += fmt::format("\n[times.{}]\n{}", toml_key(m_guess.workers->table), beat.text());
    }
    return text;
  }

  [[nodiscard]] std::string status_value(const std::string& status) const {
    return m_guess.statuses_are_numbers ? status : toml_string(status);
  }

  [[nodiscard]] std::string classes() const {
    if (m_guess.of("status").column.empty()) {
      std::string text;
      for (const GuessedCondition& condition : m_guess.conditions) {
        Block block;
        block.add("when", toml_string(condition.when), "");
        block.add("class", toml_string(to_string(condition.task_class)), "");
        text += "\n[[class]]\n" + block.text();
      }
      return text;
    }
    Block block;
    block.add("column", toml_string(m_guess.of("status").column), "");
    for (const TaskClass task_class : k_task_classes) {
      std::vector<std::string> values;
      std::vector<std::string> reasons;
      for (const GuessedStatus& status : m_guess.statuses) {
        if (status.task_class == task_class && status.text) {
          values.push_back(status_value(*status.text));
          reasons.push_back(fmt::format("{}: {}", *status.text, status.why));
        }
      }
      const std::string name{to_string(task_class)};
      block.add(values.empty() ? "# " + name : name, values.empty() ? "[\"…\"]" : toml_array(values),
                values.empty() ? fmt::format("no status looks like it: --{} VALUE", name) : join(reasons, "; "));
    }
    return "\n[[class]]\n" + block.text() + unmapped();
  }

  [[nodiscard]] std::string unmapped() const {
    std::string text;
    for (const GuessedStatus& status : m_guess.statuses) {
      if (!status.task_class) {
        text += fmt::format(
            "# not mapped: {} ({}). Rows like this are never touched; while there are any, nothing is "
            "repaired.\n",
            status.text ? "'" + printable(*status.text) + "'" : "NULL", status.why);
      }
    }
    return text.empty() ? text
                        : text +
                              "# Put each into the list of the class that it is; null = \"queued\" is for NULL. parked "
                              "means: waits for a person.\n";
  }

  [[nodiscard]] std::string liveness() const {
    const std::string limit = toml_string(format_duration(m_options.beat));
    const std::string why = m_options.beat_given ? "as --heartbeat-timeout says"
                                                 : "how often a worker beats is not in the data: give it three beats";
    std::string text;
    if (m_guess.workers) {
      Block block;
      block.add("source", "\"table\"", m_guess.workers->why);
      block.add("table", toml_string(m_guess.workers->table), "");
      block.add("key", toml_string(m_guess.workers->key), "equals the task's worker");
      block.add("heartbeat", toml_string(m_guess.workers->heartbeat), "");
      block.add("timeout", limit, why);
      block.add("missing", "\"unknown\"", "a worker without a row; \"dead\" where every worker has one");
      text += "\n[[liveness]]\n" + block.text();
    }
    if (!m_guess.time("heartbeat").empty()) {
      Block block;
      block.add("source", "\"heartbeat\"", "");
      block.add("timeout", limit, why);
      text += "\n[[liveness]]\n" + block.text();
    }
    if (!m_guess.time("lease").empty()) {
      Block block;
      block.add("source", "\"lease\"", "alive until the lease ends, then dead");
      text += "\n[[liveness]]\n" + block.text();
    }
    return text.empty() ? "\n# Nothing tells whether a worker lives: only the age of a task speaks against it.\n"
                        : text;
  }

  [[nodiscard]] std::string thresholds() const {
    Block block;
    block.add("max_age", toml_string(format_duration(m_guess.max_age)), m_guess.max_age_why);
    return "\n[thresholds]\n" + block.text();
  }

  // What a repair writes --------------------------------------------------------------------------------------------

  [[nodiscard]] bool may_write(const std::string& column) const {
    const ColumnInfo* info = m_tasks.info.find(column);
    return info != nullptr && !info->generated && std::ranges::find(m_guess.key, column) == m_guess.key.end();
  }

  /// A plain text: not JSON, not an array, not a blob.
  [[nodiscard]] bool takes_text(const std::string& column) const {
    const std::string& type = m_tasks.info.find(column)->type;
    const bool text = m_guess.engine == Engine::sqlite ? affinity_of(type) == Affinity::text
                                                       : postgres_family(type) == TypeFamily::text;
    return text && std::ranges::none_of(m_tasks.values(column), [](const Value& value) {
             const auto* said = std::get_if<std::string>(&value);
             return said != nullptr && (said->starts_with('[') || said->starts_with('{'));
           });
  }

  [[nodiscard]] std::string literal(const std::string& status) const {
    return m_guess.statuses_are_numbers ? status : Dialect{m_guess.engine}.literal(status);
  }

  void end_task(Block& block, const std::string& status) const {
    block.add(toml_key(m_guess.of("status").column), toml_string(literal(status)), "");
    if (const std::string end = m_guess.time("finished"); !end.empty() && may_write(end)) {
      block.add(toml_key(end), toml_string(fmt::format("coalesce({}, :now)", Dialect{m_guess.engine}.identifier(end))),
                "what it says already stays");
    }
    const std::string& error = m_guess.of("error").column;
    if (!error.empty() && may_write(error)) {
      const bool text = takes_text(error);
      block.add((text ? "" : "# ") + toml_key(error), "\":reason\"",
                text ? "" : "not a plain text: write it as the application does");
    }
    touch(block);
  }

  void touch(Block& block) const {
    if (const std::string updated = m_guess.time("updated"); !updated.empty() && may_write(updated)) {
      block.add(toml_key(updated), "\":now\"", "");
    }
  }

  /// As if nobody had taken it: what a claim sets becomes NULL, where the column can be NULL.
  void requeue_task(Block& block, const std::string& status) const {
    if (!status.empty()) {
      block.add(toml_key(m_guess.of("status").column), toml_string(literal(status)), "");
    }
    std::set<std::string> cleared;
    for (const char* flag : {"worker", "claimed", "started", "heartbeat", "lease"}) {
      const std::string& column = m_guess.of(flag).column;
      const ColumnInfo* info = column.empty() ? nullptr : m_tasks.info.find(column);
      if (info != nullptr && !info->not_null && may_write(column) && cleared.insert(column).second) {
        block.add(toml_key(column), "\"NULL\"", "");
      }
    }
    touch(block);
  }

  static std::string operation(std::string_view outcome, const Block& block) {
    return fmt::format("\n[[outcome.{0}.op]]\ndo = \"update\"\n[outcome.{0}.op.set]\n{1}", outcome, block.text());
  }

  [[nodiscard]] std::string repairs() const {
    const bool status = m_guess.has("status");
    const GuessedStatus* failed = m_guess.status_of(TaskClass::failed);
    const GuessedStatus* cancelled = m_guess.status_of(TaskClass::cancelled);
    const GuessedStatus* queued = m_guess.status_of(TaskClass::queued);
    const bool requeues = status ? queued != nullptr : true;
    std::string operations;
    Block defaults;
    const std::string failing = failed != nullptr ? "failed" : "undecided";
    const std::string dead = m_options.dead == Outcome::requeued && requeues ? "requeued" : failing;
    const std::string ending = cancelled != nullptr ? "cancelled" : failing;
    defaults.add("dead", toml_string(dead), "its worker is dead; \"requeued\" where running it twice does no harm");
    defaults.add("overdue", toml_string(dead), "nothing is known of its worker, and it is older than max_age");
    defaults.add("contradiction", toml_string(ending), "it ended, and its status does not say how");
    if (ending != "undecided") {
      defaults.add("cancel", toml_string(ending), "");
      defaults.add("force-cancel", toml_string(ending), "");
    }
    for (const auto& [outcome, chosen] : {std::pair{"failed", failed}, std::pair{"cancelled", cancelled}}) {
      if (chosen != nullptr) {
        Block block;
        end_task(block, *chosen->text);
        operations += operation(outcome, block);
      }
    }
    if (requeues) {
      Block block;
      requeue_task(block, queued != nullptr ? *queued->text : "");
      operations += operation("requeued", block);
    }
    const std::string text = "\n[defaults]\n" + defaults.text() + operations;
    const std::string title =
        "\n# What a repair writes. Compare it with what the application writes when a task ends, or is taken back.\n";
    if (m_options.safety == Safety::full) {
      return title + text;
    }
    return title + "# Not in force: take the # away, and make it safety = \"full\" above.\n" + as_comment(text);
  }

  const ProfileGuess& m_guess;
  const TableSketch& m_tasks;
  const ProfileTextOptions& m_options;
  std::vector<std::pair<std::string, std::string>> m_styles;  ///< name, what stands under it
};

}  // namespace

std::string profile_text(const ProfileGuess& guess, const TableSketch& tasks, const ProfileTextOptions& options) {
  return ProfileText{guess, tasks, options}.text();
}

std::string profile_name_of(std::string_view table) {
  const std::string name = join(words_of(table), "-");
  std::string plain;
  std::ranges::copy_if(name, std::back_inserter(plain),
                       [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  const std::size_t letter = plain.find_first_of("abcdefghijklmnopqrstuvwxyz");
  return letter == std::string::npos ? "my-queue" : plain.substr(letter);
}

}  // namespace taskctl
