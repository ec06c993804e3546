#include "commands/list-stuck/list_stuck_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/duration.hpp"
#include "base/spool.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "engine/finding_codec.hpp"
#include "view/finding_table.hpp"
#include "view/id_line.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

/// Positions in the spool, in the order of a key; ties keep the order in which they were found.
template <typename Key, typename KeyOf>
std::vector<std::uint64_t> sorted(const Spool& records, const KeyOf& key_of) {
  std::vector<std::pair<Key, std::uint64_t>> keyed;
  records.for_each_at(
      [&](std::uint64_t position, std::string_view bytes) { keyed.emplace_back(key_of(bytes), position); });
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::uint64_t> positions;
  positions.reserve(keyed.size());
  for (const auto& [key, position] : keyed) {
    positions.push_back(position);
  }
  return positions;
}

/// Text that sorts as the field should: numbers padded.
std::string sort_key(const ListItem& item, const std::string& field) {
  const Finding& finding = item.finding;
  if (field == "kind") {
    return finding.task.kind.value_or("");
  }
  if (field == "status") {
    return finding.task.status.value_or("");
  }
  if (field == "worker") {
    return finding.task.worker.value_or("");
  }
  if (field == "rule") {
    return fmt::format("{:03}", static_cast<int>(finding.rule));
  }
  if (field == "certainty") {
    return fmt::format("{:03}", static_cast<int>(finding.certainty));
  }
  return id_of(finding);
}

std::vector<std::string> cells_of(const ListItem& item, Instant now) {
  const Finding& finding = item.finding;
  const std::optional<Duration> age = age_of(finding, now);
  return {id_of(finding),
          finding.task.kind.value_or(""),
          finding.task.status.value_or(""),
          finding.task.task_class ? std::string{to_string(*finding.task.task_class)} : "",
          age ? fmt::format("{:.3f}", std::chrono::duration<double>{*age}.count()) : "",
          finding.since ? format_instant(*finding.since) : "",
          finding.task.worker.value_or(""),
          item.fine ? "" : std::string{to_string(finding.rule)},
          item.fine ? "" : std::string{to_string(finding.certainty)},
          item.fine ? "" : std::string{to_string(finding.outcome)},
          item.fine ? "" : std::string{to_string(finding.repair)}};
}

const std::vector<std::string> k_cell_titles = {"id",     "kind", "status",    "class",   "age_seconds", "since",
                                                "worker", "rule", "certainty", "outcome", "repair"};

Json item_json(const ListItem& item, Instant now) {
  Json json = to_json(item.finding, now);
  if (item.fine) {
    json["rule"] = nullptr;
    json["outcome"] = nullptr;
    json["fine"] = true;
  }
  return json;
}

/// The items in the wanted order, one decoded at a time.
class Items {
 public:
  Items(const Listing& listing, const ListView& view) : m_records{listing.items} {
    m_order = view.sort == "age" ? sorted<Instant>(m_records, decode_sort_time)
                                 : sorted<std::string>(m_records, [&view](std::string_view bytes) {
                                     return sort_key(decode_item(bytes), view.sort);
                                   });
    if (view.limit && m_order.size() > *view.limit) {
      m_beyond_limit = m_order.size() - *view.limit;
      m_order.resize(*view.limit);
    }
  }
  /// Rows that --limit keeps from being printed.
  [[nodiscard]] std::size_t beyond_limit() const { return m_beyond_limit; }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const std::uint64_t position : m_order) {
      visit(decode_item(m_records.read(position)));
    }
  }

 private:
  const Spool& m_records;
  std::vector<std::uint64_t> m_order;
  std::size_t m_beyond_limit = 0;
};

void print_json(Streams& streams, const Listing& listing, const ListView& view, const Items& items) {
  Json head;
  head["schema"] = "taskctl.list-stuck/1";
  head["target"] = view.target;
  head["now"] = format_instant(listing.now);
  head["selection"] = view.selection;
  head["max_age_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(view.max_age).count();
  std::string text = dump(head);
  text.pop_back();
  streams.out(text + ",\n\"findings\":[");
  bool first = true;
  items.for_each([&](const ListItem& item) {
    streams.out((first ? "\n" : ",\n") + dump(item_json(item, listing.now)));
    first = false;
  });
  streams.out(first ? "],\n" : "\n],\n");
  streams.line(fmt::format("\"remaining\":{},", items.beyond_limit()));
  streams.line("\"warnings\":" + dump(Json(listing.warnings)) + ",");
  streams.line("\"summary\":" + dump(to_json(listing.summary)) + "}");
}

void print_jsonl(Streams& streams, const Listing& listing, const Items& items) {
  items.for_each([&](const ListItem& item) {
    Json json{{"type", "finding"}};
    json.update(item_json(item, listing.now));
    streams.line(dump(json));
  });
  Json summary{{"type", "summary"}};
  summary.update(to_json(listing.summary));
  streams.line(dump(summary));
}

void print_ids(Streams& streams, const Items& items) {
  items.for_each([&](const ListItem& item) {
    const std::string id = id_of(item.finding);
    if (const std::optional<std::string> line = id_line(id)) {
      streams.line(*line);
    } else {
      streams.warn("the id '" + printable(id) + "' cannot be written on a line: it is left out");
    }
  });
}

void print_table(Streams& streams, const Listing& listing, const ListView& view, const Items& items) {
  TableWriter table = finding_table();
  items.for_each([&](const ListItem& item) { add_finding(table, item, listing.now); });
  table.write(streams);
  if (items.beyond_limit() > 0) {
    streams.line(fmt::format("{} more beyond --limit", items.beyond_limit()));
  }
  streams.line(summary_line(listing.summary));
  streams.talk(fmt::format("selected: {}; max age {}; as of {}", view.selection, format_duration(view.max_age),
                           format_instant(listing.now)));
}

}  // namespace

void print_listing(Streams& streams, const Listing& listing, const ListView& view) {
  for (const std::string& warning : listing.warnings) {
    streams.warn(warning);
  }
  const Items items{listing, view};
  switch (view.format) {
    case OutputFormat::json:
      print_json(streams, listing, view, items);
      break;
    case OutputFormat::jsonl:
      print_jsonl(streams, listing, items);
      break;
    case OutputFormat::csv:
    case OutputFormat::tsv: {
      const auto line = view.format == OutputFormat::csv ? csv_line : tsv_line;
      streams.out(line(k_cell_titles));
      items.for_each([&](const ListItem& item) { streams.out(line(cells_of(item, listing.now))); });
      break;
    }
    case OutputFormat::ids:
      print_ids(streams, items);
      break;
    case OutputFormat::table:
      print_table(streams, listing, view, items);
      break;
  }
}

}  // namespace taskctl
