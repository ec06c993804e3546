#include "view/finding_table.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

// A plan is read by people: a longer value is cut, its whole text is in the JSON form.
constexpr std::size_t k_value_width = 100;

std::string since_text(const std::optional<Instant>& since) {
  if (!since) {
    return "-";
  }
  const LocalTime utc{since->time_since_epoch()};
  return format_local(utc, ' ', 0) + "Z";
}

std::string value_text(const Image* image, const std::string& column) {
  const Value* value = image == nullptr ? nullptr : image->find(column);
  if (value == nullptr) {
    return "(absent)";
  }
  const std::string text = to_display(*value);
  // Blanks at the ends are quoted too: they are what differs and nobody would see them.
  const bool quoted = text.empty() || text.front() == ' ' || text.back() == ' ';
  return truncate_to_width(quoted ? "'" + printable(text) + "'" : printable(text), k_value_width);
}

const Image* image_of(const std::optional<Image>& image) {
  return image ? &*image : nullptr;
}

Style style_of(const ListItem& item) {
  if (item.fine) {
    return Style::dim;
  }
  switch (item.finding.certainty) {
    case Certainty::certain:
      return Style::red;
    case Certainty::probable:
      return Style::yellow;
    case Certainty::possible:
    case Certainty::none:
      break;
  }
  return Style::plain;
}

std::string certainty_counts(const ListSummary& summary) {
  std::vector<std::string> parts;
  for (const auto& [certainty, count] : summary.by_certainty) {
    if (count > 0 && certainty != Certainty::none) {
      parts.push_back(fmt::format("{} {}", count, to_string(certainty)));
    }
  }
  return parts.empty() ? "" : " (" + join(parts, ", ") + ")";
}

}  // namespace

TableWriter finding_table() {
  return TableWriter{{{.title = "ID"},
                      {.title = "KIND", .shrinkable = true},
                      {.title = "STATUS", .shrinkable = true},
                      {.title = "AGE", .right = true},
                      {.title = "SINCE"},
                      {.title = "WORKER", .shrinkable = true},
                      {.title = "RULE", .fold = true},
                      {.title = "CERTAINTY"},
                      {.title = "RECONCILE", .shrinkable = true}}};
}

void add_finding(TableWriter& table, const ListItem& item, Instant now) {
  const Finding& finding = item.finding;
  const std::optional<Duration> age = age_of(finding, now);
  table.row(
      {id_of(finding), finding.task.kind.value_or("-"), finding.task.status.value_or(finding.table ? "-" : "NULL"),
       age ? format_age(*age) : "-", since_text(finding.since), finding.task.worker.value_or("-"),
       item.fine ? "fine" : std::string{to_string(finding.rule)},
       item.fine || finding.certainty == Certainty::none ? "-" : std::string{to_string(finding.certainty)},
       item.fine ? "-" : repair_words(finding)},
      style_of(item));
}

std::string repair_words(const Finding& finding) {
  switch (finding.repair) {
    case Repair::yes:
      return std::string{to_string(finding.outcome)};
    case Repair::needs_max_age:
      return "left: needs --max-age";
    case Repair::needs_outcome:
      return "undecided";
    case Repair::hazard:
      return "left: hazard " + join(finding.hazards, ", ");
    case Repair::never:
      break;
  }
  return "-";
}

std::string summary_line(const ListSummary& summary) {
  std::string text = fmt::format("{} stuck{}, {} fine", summary.stuck, certainty_counts(summary), summary.fine);
  if (summary.settling > 0) {
    text += fmt::format(", {} of them settling", summary.settling);
  }
  if (summary.clock > 0) {
    text += fmt::format(", {} starting in the future", summary.clock);
  }
  if (summary.unreadable > 0) {
    text += fmt::format(", {} with an unreadable time", summary.unreadable);
  }
  if (summary.stuck > 0) {
    text += fmt::format("; reconcile would repair {}", summary.repairable);
  }
  if (summary.left_for_max_age > 0) {
    text += fmt::format("; {} left: possible only, add --max-age", summary.left_for_max_age);
  }
  if (summary.undecided > 0) {
    text += fmt::format("; {} undecided: add --outcome", summary.undecided);
  }
  return text;
}

std::vector<std::string> change_lines(const Change& change) {
  const Image* before = image_of(change.before);
  const Image* after = image_of(change.after);
  const bool update = change.operation == Operation::update;
  const Image* named = after != nullptr ? after : before;
  std::vector<std::string> lines;
  if (named == nullptr || !named->columns) {
    return lines;
  }
  for (const std::string& column : update ? change.written : *named->columns) {
    lines.push_back(
        fmt::format("{}: {} → {}", printable(column), value_text(before, column), value_text(after, column)));
  }
  return lines;
}

}  // namespace taskctl
