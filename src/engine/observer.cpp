#include "engine/observer.hpp"

#include <algorithm>
#include <optional>

#include "engine/lister.hpp"
#include "engine/row_rules.hpp"

namespace taskctl {

namespace {

Observation observe_once(TaskStore& store, const Sightings& sightings, const Selector& selector) {
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::active;
  wanted.selector = selector;
  wanted.selector.ids = task_ids(store.profile(), selector.ids);
  wanted.brief = true;
  wanted.with_fingerprint = true;
  Observation observation;
  const bool hidden =
      std::ranges::any_of(store.schema().tables, [](const auto& entry) { return entry.second.row_security; });
  observation.complete = selector.empty() && !hidden;
  // What is read later is as it is at this moment at the latest: a task that begins after it is not in it.
  std::optional<Transaction> transaction;
  const auto clock = [&] {
    transaction.emplace(store.connection(), Access::read);
    static_cast<void>(store.has_rows(store.profile().table));  // a transaction begins with what it reads first
    return observation.now = store.connection().now();
  };
  const std::unique_ptr<SightingWriter> writer = sightings.files().write(sightings.place(), clock);
  const bool only_rows = wanted.selector.ids.empty() && !selector.ids.empty();
  if (!only_rows) {
    store.read_facts(wanted, [&](TaskFacts&& facts) {
      if (facts.task.task_class == TaskClass::active) {
        writer->add(facts.task.key.text(), facts.task.fingerprint);
      }
    });
  }
  transaction->commit();
  observation.counts = writer->finish(observation.complete);
  return observation;
}

}  // namespace

Observation observe_tasks(TaskStore& store, const Sightings& sightings, const Selector& selector) {
  return once_more_when_busy([&] { return observe_once(store, sightings, selector); });
}

}  // namespace taskctl
