#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/draft.hpp"
#include "profile/evidence_matcher.hpp"

namespace taskctl {

namespace {

using EvidenceKind = EvidenceSource::Kind;

EvidencePattern read_pattern(const Item& item, Draft& draft, bool regex) {
  constexpr std::string_view k_expected = "a pair [\"pattern\", \"outcome\"], or a third part \"text\"";
  const std::vector<Item>& parts = item.array(k_expected);
  if (parts.size() != 2 && parts.size() != 3) {
    item.fail(fmt::format("has {} parts", parts.size()), k_expected);
  }
  EvidencePattern pattern{.text = parts[0].text("a pattern")};
  if (regex && !is_regular_expression(pattern.text)) {
    parts[0].fail(fmt::format("'{}' cannot be read", printable(pattern.text)), "a regular expression (RE2)");
  }
  pattern.outcome = draft.chosen_outcome(parts[1]);
  pattern.is_reason = parts.size() == 3 && parts[2].choice<bool>({{"text", true}});
  return pattern;
}

std::vector<EvidencePattern> read_patterns(const Item& item, Draft& draft, bool regex) {
  constexpr std::string_view k_expected = "pairs such as [[\"cancelled by user\", \"cancelled\"]]";
  std::vector<EvidencePattern> patterns;
  for (const Item& entry : item.array(k_expected)) {
    EvidencePattern pattern = read_pattern(entry, draft, regex);
    const auto same = [&](const EvidencePattern& other) { return other.text == pattern.text; };
    if (std::any_of(patterns.begin(), patterns.end(), same)) {
      entry.array(k_expected)[0].fail(fmt::format("'{}' stands twice", printable(pattern.text)), "each pattern once");
    }
    patterns.push_back(std::move(pattern));
  }
  if (patterns.empty()) {
    item.fail("is empty", k_expected);
  }
  return patterns;
}

/// More rows than this would be reading the log, not its tail.
std::size_t read_tail(const Item& item) {
  constexpr std::int64_t k_most = 1000;
  constexpr std::string_view k_expected = "a number of rows from 1 to 1000";
  const std::int64_t rows = item.integer(k_expected);
  if (rows < 1 || rows > k_most) {
    item.fail(fmt::format("is {}", rows), k_expected);
  }
  return static_cast<std::size_t>(rows);
}

/// Table, match, value and order of a result or log.
void read_rows(const Item& item, Draft& draft, std::string_view value_key, EvidenceSource& source) {
  source.table = draft.table(item.at("table", "the table that says how tasks ended"));
  source.match = draft.match(item.at("match", "pairs such as { task_id = \"id\" }"), source.table);
  source.value = draft.column(item.at(value_key, "the column that is compared with 'patterns'"), source.table);
  source.order_by = draft.column(item.at("order_by", "the column that says which row came first"), source.table);
  if (const Item* pick = item.find("pick")) {
    source.newest = pick->choice<bool>({{"newest", true}, {"oldest", false}});
  }
}

void read_evidence_patterns(const Item& item, Draft& draft, EvidenceSource& source) {
  if (const Item* regex = item.find("regex")) {
    source.regex = regex->boolean();
  }
  source.patterns = read_patterns(item.at("patterns", "pairs of pattern and outcome"), draft, source.regex);
}

/// A request that stands says by itself that the task was cancelled.
void use_cancel_request(const Item& kind, Draft& draft) {
  if (!draft.profile.cancel_request) {
    kind.fail("needs to know where requests stand", "a table [cancel_request]");
  }
  draft.chosen.push_back({Outcome::cancelled, kind.where()});
}

EvidenceSource read_evidence_source(const Item& item, Draft& draft) {
  const Item& kind = item.at("source", "\"result\", \"log\", \"column\" or \"cancel-request\"");
  EvidenceSource source;
  source.kind = kind.choice<EvidenceKind>({{"result", EvidenceKind::result},
                                           {"log", EvidenceKind::log},
                                           {"column", EvidenceKind::column},
                                           {"cancel-request", EvidenceKind::cancel_request}});
  source.where = item.where();
  switch (source.kind) {
    case EvidenceKind::result:
      item.only({"source", "table", "match", "value", "order_by", "pick", "finished", "patterns", "regex"});
      read_rows(item, draft, "value", source);
      if (const Item* finished = item.find("finished")) {
        source.finished = draft.time_column(*finished, source.table);
      }
      break;
    case EvidenceKind::log:
      item.only({"source", "table", "match", "text", "order_by", "pick", "tail", "patterns", "regex"});
      read_rows(item, draft, "text", source);
      if (const Item* tail = item.find("tail")) {
        source.tail = read_tail(*tail);
      }
      break;
    case EvidenceKind::column:
      item.only({"source", "value", "patterns", "regex"});
      source.value = draft.column(item.at("value", "a column of the task"), draft.profile.table);
      break;
    case EvidenceKind::cancel_request:
      item.only({"source"});
      use_cancel_request(kind, draft);
      return source;
  }
  read_evidence_patterns(item, draft, source);
  return source;
}

}  // namespace

void read_evidence(const Item& root, Draft& draft) {
  for (const Item& item : root.tables("evidence")) {
    draft.profile.evidence.push_back(read_evidence_source(item, draft));
  }
}

}  // namespace taskctl
