#include "store/task_store.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sql/column_type.hpp"
#include "store/change_builder.hpp"
#include "store/evidence_reader.hpp"
#include "store/facts_decoder.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

/// Keys in one statement: enough to make round trips cheap, few enough for every server's parameter limit.
constexpr std::size_t k_keys_per_statement = 500;

template <class T>
std::vector<std::span<const T>> chunks(std::span<const T> all) {
  std::vector<std::span<const T>> parts;
  for (std::size_t begin = 0; begin < all.size(); begin += k_keys_per_statement) {
    parts.push_back(all.subspan(begin, std::min(k_keys_per_statement, all.size() - begin)));
  }
  return parts;
}

template <class T>
std::vector<T> without_duplicates(const std::vector<T>& all) {
  std::set<T> seen;
  std::vector<T> result;
  for (const T& item : all) {
    if (seen.insert(item).second) {
      result.push_back(item);
    }
  }
  return result;
}

/// A result without a small bound: through a cursor where one can be had.
void read_all(Connection& connection, const RenderedStatement& statement, const RowSink& sink) {
  if (connection.in_transaction()) {
    connection.stream(statement.sql, statement.parameters, sink);
  } else {
    connection.run(statement.sql, statement.parameters, sink);
  }
}

const TableInfo& table_of(const Schema& schema, const TableName& name) {
  const auto found = std::ranges::find_if(schema.tables, [&](const auto& entry) { return entry.second.name == name; });
  if (found == schema.tables.end()) {
    throw Error{ExitCode::mismatch, fmt::format("table '{}' is not one of the profile's tables", name.display()),
                "Use the profile with which these rows were written."};
  }
  return found->second;
}

/// A policy that refuses what a row would become is about that row, as a CHECK is: the others may pass.
template <class Action>
std::int64_t within_policies(const TableInfo& table, const Action& write) {
  try {
    return write();
  } catch (const Error& error) {
    if (error.code() == ExitCode::access && table.row_security) {
      throw ConstraintError{error.message()};
    }
    throw;
  }
}

/// Reads the facts of one statement. A comparison in the database may be looser than the id (collation, affinity):
/// `wanted`, unless empty, is compared exactly.
class FactsReader {
 public:
  FactsReader(TaskStore& store, Sightings* sightings, std::set<TaskKey> wanted,
              const std::function<void(TaskFacts&&)>& sink)
      : m_connection{store.connection()},
        m_profile{store.profile()},
        m_schema{store.schema()},
        m_sightings{sightings},
        m_wanted{std::move(wanted)},
        m_sink{sink} {}
  /// A writer of the sightings waits no longer than the reading goes on.
  ~FactsReader() {
    if (m_sightings != nullptr) {
      m_sightings->pause();
    }
  }
  FactsReader(const FactsReader&) = delete;
  FactsReader& operator=(const FactsReader&) = delete;

  void read(const FactsRequest& request) {
    const Dialect dialect{m_connection.engine()};
    read(request, render_facts(m_profile, m_schema, dialect, request));
    if (request.by_results) {
      read(request, render_facts_by_results(m_profile, m_schema, dialect, request));
    }
  }

 private:
  void read(const FactsRequest& request, const FactsStatement& facts) {
    const FactsDecoder decoder{m_profile, facts.layout};
    const RowSink sink = [&](const Row& row) {
      TaskFacts decoded = decoder.decode(row);
      if (m_wanted.empty() || m_wanted.contains(decoded.task.key)) {
        if (m_sightings != nullptr && !request.brief) {
          look_up(decoded.task);
        }
        m_sink(std::move(decoded));
      }
    };
    if (request.rows == FactsRequest::Rows::by_key || request.lock) {
      m_connection.run(facts.statement.sql, facts.statement.parameters, sink);
    } else {
      read_all(m_connection, facts.statement, sink);
    }
  }

  void look_up(Task& task) {
    if (task.task_class == TaskClass::active) {
      task.times.first_seen = m_sightings->find(task.key.text(), task.fingerprint);
    }
  }

  Connection& m_connection;
  const Profile& m_profile;
  const Schema& m_schema;
  Sightings* m_sightings;
  std::set<TaskKey> m_wanted;
  const std::function<void(TaskFacts&&)>& m_sink;
};

}  // namespace

/// The request without its keys and ids, which are filled in part by part.
FactsRequest TaskStore::frame_of(const FactsRequest& request) const {
  FactsRequest frame{.rows = request.rows,
                     .all_queued = request.all_queued,
                     .by_results = request.by_results,
                     .with_image = request.with_image,
                     .lock = request.lock,
                     .brief = request.brief,
                     .with_fingerprint = request.with_fingerprint || (m_sightings != nullptr && !request.brief),
                     .limit = request.limit};
  if (request.rows != FactsRequest::Rows::by_key) {
    frame.selector = request.selector;
    frame.selector.ids.clear();
  }
  return frame;
}

TaskStore::TaskStore(Connection& connection, const Profile& profile, const Schema& schema)
    : m_connection{connection}, m_profile{profile}, m_schema{schema}, m_dialect{connection.engine()} {}

void TaskStore::read_facts(const FactsRequest& request, const std::function<void(TaskFacts&&)>& sink) {
  if (request.rows == FactsRequest::Rows::by_key) {
    read_facts_by_key(request, sink);
    return;
  }
  FactsRequest part = frame_of(request);
  const std::vector<std::string> ids = without_duplicates(request.selector.ids);
  if (ids.empty()) {
    FactsReader{*this, m_sightings, {}, sink}.read(part);
    return;
  }
  std::set<TaskKey> wanted;
  for (const std::string& id : ids) {
    wanted.insert(TaskKey::from_text(id, m_profile.key.size()));
  }
  FactsReader reader{*this, m_sightings, std::move(wanted), sink};
  for (const std::span<const std::string> chunk : chunks<std::string>(ids)) {
    part.selector.ids.assign(chunk.begin(), chunk.end());
    reader.read(part);
  }
}

void TaskStore::read_facts_by_key(const FactsRequest& request, const std::function<void(TaskFacts&&)>& sink) {
  std::map<TaskKey, TaskFacts> found;
  const bool may_be_shared = ids_may_be_shared();
  const std::function<void(TaskFacts &&)> mark = [&found](TaskFacts&& facts) {
    TaskKey key = facts.task.key;
    const auto [position, is_first] = found.try_emplace(std::move(key), std::move(facts));
    position->second.has_twin = !is_first;
  };
  FactsReader reader{*this, m_sightings, {request.keys.begin(), request.keys.end()}, may_be_shared ? mark : sink};
  FactsRequest part = frame_of(request);
  const std::vector<TaskKey> keys = without_duplicates(request.keys);
  for (const std::span<const TaskKey> chunk : chunks<TaskKey>(keys)) {
    part.keys.assign(chunk.begin(), chunk.end());
    reader.read(part);
    for (auto& [key, facts] : std::exchange(found, {})) {
      sink(std::move(facts));
    }
  }
}

bool TaskStore::ids_may_be_shared() const {
  const TableInfo& table = m_schema.tables.at(m_profile.table);
  if (m_dialect.engine() != Engine::sqlite) {
    return table.is_partitioned && !is_unique(table, m_profile.key);
  }
  return std::ranges::any_of(m_profile.key, [&table](const std::string& name) {
    const ColumnInfo* column = table.find(name);
    return column != nullptr && affinity_of(column->type) == Affinity::none;
  });
}

void TaskStore::read_evidence(std::size_t source, std::span<TaskFacts* const> tasks) {
  EvidenceReader{m_connection, m_profile, m_schema, source}.read(tasks);
}

void TaskStore::read_worker_rows(const std::optional<std::string>& name, const WorkerSink& sink) {
  for (std::size_t i = 0; i < m_profile.liveness.size(); ++i) {
    const LivenessSource& source = m_profile.liveness[i];
    if (source.kind != LivenessSource::Kind::table) {
      continue;
    }
    const ColumnEncoding& encoding = encoding_or_default(m_profile, source.table, source.heartbeat);
    read_all(m_connection, render_workers(source, m_schema, m_dialect, name),
             [&](const Row& row) { sink(i, text_of(row.at(0)).value_or(""), decode_time(row.at(1), encoding)); });
  }
}

std::vector<WorkerCensus> TaskStore::read_workers(Instant now) {
  std::vector<WorkerCensus> censuses(m_profile.liveness.size());
  read_worker_rows(std::nullopt, [&](std::size_t source, const std::string&, const TimeFact& heartbeat) {
    WorkerCensus& census = censuses[source];
    ++census.known;
    census.alive += heartbeat.known() && now - heartbeat.at <= m_profile.liveness[source].timeout ? 1U : 0U;
  });
  return censuses;
}

bool TaskStore::has_rows(const std::string& table) {
  const RenderedStatement statement = render_any_row(table, m_schema, m_dialect);
  bool found = false;
  m_connection.run(statement.sql, statement.parameters, [&found](const Row&) { found = true; });
  return found;
}

std::vector<FinishedTogether> TaskStore::read_finished_together(const std::optional<TaskKey>& key) {
  const ColumnEncoding& encoding = encoding_of(m_profile, m_profile.times.finished);
  std::vector<FinishedTogether> groups;
  read_all(m_connection, render_finished_together(m_profile, m_schema, m_dialect, key), [&](const Row& row) {
    groups.push_back(
        {decode_time(row.at(0), encoding), text_of(row.at(1)).value_or(""), integer_of(row.at(2)).value_or(0)});
  });
  return groups;
}

std::vector<std::vector<Change>> TaskStore::evaluate(const OperationList& operations,
                                                     std::span<const EvaluationInput> tasks, Instant now) {
  std::map<TaskKey, std::size_t> positions;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    positions.emplace(tasks[i].key, i);
  }
  std::vector<TaskChanges> changes(tasks.size());
  for (const OperationSpec& operation : operations) {
    const std::string& name = operation.table.empty() ? m_profile.table : operation.table;
    for (const std::span<const EvaluationInput> chunk : chunks<EvaluationInput>(tasks)) {
      const EvaluationStatement evaluation = render_evaluation(m_profile, m_schema, m_dialect, operation, chunk, now);
      const ChangeBuilder builder{m_profile, m_schema.tables.at(name), m_dialect.engine(), operation, evaluation};
      m_connection.run(evaluation.statement.sql, evaluation.statement.parameters, [&](const Row& row) {
        const auto position = positions.find(builder.task_of(row));
        if (position != positions.end()) {
          changes[position->second].add(builder.build(row));
        }
      });
    }
  }
  std::vector<std::vector<Change>> lists;
  std::ranges::transform(changes, std::back_inserter(lists), &TaskChanges::take);
  return lists;
}

std::vector<std::optional<Image>> TaskStore::read_rows(const TableName& table, std::span<const RowKey> keys,
                                                       bool lock) {
  const TableInfo& info = table_of(m_schema, table);
  std::vector<std::string> names;
  std::ranges::transform(info.columns, std::back_inserter(names), &ColumnInfo::name);
  const auto columns = std::make_shared<const std::vector<std::string>>(std::move(names));
  std::map<std::vector<std::string>, std::vector<RowKey>> by_columns;
  for (const RowKey& key : keys) {
    by_columns[key.columns].push_back(key);
  }
  std::map<std::pair<std::vector<std::string>, std::vector<Value>>, Image> found;
  for (const auto& [key_columns, wanted] : by_columns) {
    for (const std::span<const RowKey> chunk : chunks<RowKey>(wanted)) {
      const RenderedStatement statement = render_read_rows(info, m_dialect, chunk, lock);
      m_connection.run(statement.sql, statement.parameters, [&](const Row& row) {
        Image image{columns, row};
        std::vector<Value> values;
        for (const std::string& column : key_columns) {
          values.push_back(*image.find(column));
        }
        found.emplace(std::pair{key_columns, std::move(values)}, std::move(image));
      });
    }
  }
  std::vector<std::optional<Image>> images;
  for (const RowKey& key : keys) {
    const auto image = found.find({key.columns, key.values});
    images.push_back(image == found.end() ? std::nullopt : std::optional{image->second});
  }
  return images;
}

std::int64_t TaskStore::write(Change& change) {
  const TableInfo& table = table_of(m_schema, change.table);
  const RenderedStatement statement = render_write(table, m_dialect, change);
  const std::vector<std::string> key_columns = change.key.columns.empty() ? table.row_key() : change.key.columns;
  return within_policies(table, [&] {
    return m_connection.run(statement.sql, statement.parameters, [&](const Row& row) {
      change.key = {key_columns, row};
    });
  });
}

std::int64_t TaskStore::update_together(std::span<const Change* const> changes) {
  const TableInfo& table = table_of(m_schema, changes.front()->table);
  const RenderedStatement statement = render_update_many(table, m_dialect, changes);
  return within_policies(table, [&] { return m_connection.run(statement.sql, statement.parameters); });
}

std::vector<StatusCount> TaskStore::status_counts() {
  const RenderedStatement statement = render_status_counts(m_profile, m_schema, m_dialect);
  std::vector<StatusCount> counts;
  m_connection.run(statement.sql, statement.parameters, [&](const Row& row) {
    StatusCount count{.status = text_of(row[0]), .count = integer_of(row[2]).value_or(0)};
    if (const std::optional<std::int64_t> code = integer_of(row[1])) {
      count.task_class = static_cast<TaskClass>(*code);
    }
    counts.push_back(std::move(count));
  });
  return counts;
}

}  // namespace taskctl
