#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/odd_rows.hpp"
#include "sql/render.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

namespace {

/// The select list of a facts statement, with the position of everything in it.
class FactsColumns {
 public:
  FactsColumns(StatementWriter& writer, const FactsRequest& request) : m_writer{writer} {
    add_key_and_class();
    add_attributes();
    add_times();
    if (!request.brief) {
      add_what_judges();
    }
    if (request.with_image) {
      add_image();
    }
    if (request.with_fingerprint) {
      add_version();
    }
  }

  [[nodiscard]] std::string sql() const { return join(m_columns, ", "); }
  [[nodiscard]] const FactsLayout& layout() const { return m_layout; }

 private:
  [[nodiscard]] const Profile& profile() const { return m_writer.profile(); }
  [[nodiscard]] const Dialect& dialect() const { return m_writer.dialect(); }

  void add_what_judges() {
    for (const LivenessSource& source : profile().liveness) {
      m_layout.liveness.push_back(add_liveness(source));
    }
    if (profile().cancel_request) {
      add_cancel_request(*profile().cancel_request);
    }
    for (const Hazard& hazard : profile().hazards) {
      m_layout.hazards.push_back(add(fmt::format("CASE WHEN {} THEN 1 ELSE 0 END", m_writer.fragment(hazard.when))));
    }
    if (counts_attempts_in_requeueing(m_writer)) {
      m_layout.attempts_requeued = add(fmt::format("CASE WHEN {} THEN {} END", fewer_attempts_than_allowed(m_writer),
                                                   m_writer.text(profile().attempts_requeued)));
    }
  }

  int add(std::string expression) {
    m_columns.push_back(std::move(expression));
    return static_cast<int>(m_columns.size()) - 1;
  }
  int add_text(const Attribute& attribute) { return attribute.given() ? add(m_writer.text(attribute)) : -1; }
  int add_time(const Attribute& attribute) { return attribute.given() ? add(m_writer.time(attribute)) : -1; }

  void add_key_and_class() {
    m_layout.key = 0;
    m_layout.key_count = profile().key.size();
    for (const std::string& column : profile().key) {
      add(dialect().as_text(m_writer.task_column(column)));
    }
    m_layout.status = static_cast<std::size_t>(add(m_writer.text(profile().status)));
    m_layout.class_rule = static_cast<std::size_t>(add(m_writer.class_rule_case()));
    m_layout.task_class = static_cast<std::size_t>(add(m_writer.class_code_case()));
  }

  void add_attributes() {
    m_layout.kind = add_text(profile().kind);
    m_layout.worker = add_text(profile().worker);
    m_layout.queue = add_text(profile().queue);
    m_layout.user = add_text(profile().user);
    m_layout.error = add_text(profile().error);
    m_layout.attempts_used = add_text(profile().attempts_used);
    m_layout.attempts_limit = add_text(profile().attempts_limit);
  }

  void add_times() {
    const Profile::Times& times = profile().times;
    m_layout.created = add_time(times.created);
    m_layout.started = add_time(times.started);
    m_layout.finished = add_time(times.finished);
    m_layout.updated = add_time(times.updated);
    m_layout.heartbeat = add_time(times.heartbeat);
    m_layout.lease = add_time(times.lease);
    m_layout.claimed = add_time(times.claimed);
  }

  FactsLayout::Live add_liveness(const LivenessSource& source) {
    FactsLayout::Live live;
    if (source.kind == LivenessSource::Kind::sql) {
      live.verdict = add(dialect().as_text(m_writer.fragment(*source.verdict)));
    } else if (source.kind == LivenessSource::Kind::table) {
      const ColumnInfo& key = m_writer.column(source.table, source.key);
      const ColumnInfo& heartbeat = m_writer.column(source.table, source.heartbeat);
      // Renamed, so that a worker expression with bare column names cannot pick up a column of the worker table.
      const std::string from =
          fmt::format("FROM (SELECT {} AS w__key, {} AS w__heartbeat FROM {}) w WHERE {}",
                      dialect().identifier(key.name), dialect().identifier(heartbeat.name),
                      dialect().table(m_writer.table(source.table).name), m_writer.is_worker("w.w__key", key.type));
      live.found = add(fmt::format("CASE WHEN EXISTS (SELECT 1 {}) THEN 1 ELSE 0 END", from));
      live.heartbeat =
          add(fmt::format("(SELECT {} {} LIMIT 1)", dialect().as_time("w.w__heartbeat", heartbeat.type), from));
    }
    return live;
  }

  void add_cancel_request(const CancelRequestSource& source) {
    const std::string& table = source.table.empty() ? profile().table : source.table;
    const ColumnInfo& requested = m_writer.column(table, source.requested);
    const std::string_view alias = source.table.empty() ? k_task_alias : "q";
    const std::string time = m_writer.qualified(alias, requested.name);
    const std::string reason =
        source.reason.empty() ? std::string{} : m_writer.qualified(alias, m_writer.column(table, source.reason).name);
    if (source.table.empty()) {
      m_layout.request_present = add(fmt::format("CASE WHEN {} IS NOT NULL THEN 1 ELSE 0 END", time));
      m_layout.request_time = add(dialect().as_time(time, requested.type));
      m_layout.request_reason = reason.empty() ? -1 : add(dialect().as_text(reason));
      return;
    }
    const std::string from = fmt::format("FROM {} q WHERE {}", dialect().table(m_writer.table(table).name),
                                         m_writer.match(table, alias, source.match));
    const std::string oldest =
        fmt::format("{} ORDER BY {} NULLS LAST{} LIMIT 1", from, time, reason.empty() ? "" : ", " + reason);
    m_layout.request_present = add(fmt::format("CASE WHEN EXISTS (SELECT 1 {}) THEN 1 ELSE 0 END", from));
    m_layout.request_time = add(fmt::format("(SELECT {} {})", dialect().as_time(time, requested.type), oldest));
    m_layout.request_reason =
        reason.empty() ? -1 : add(fmt::format("(SELECT {} {})", dialect().as_text(reason), oldest));
  }

  void add_image() {
    m_layout.image = static_cast<int>(m_columns.size());
    for (const ColumnInfo& column : m_writer.task_table().columns) {
      m_layout.image_columns.push_back(column.name);
      add(dialect().as_image(m_writer.task_column(column.name)));
    }
  }

  void add_version() {
    m_layout.version = m_columns.size();
    const TableInfo& table = m_writer.task_table();
    if (table.has_row_version) {
      add(fmt::format("{}.xmin::text", k_task_alias));
    } else {
      for (const ColumnInfo& column : table.columns) {
        add(dialect().as_image(m_writer.task_column(column.name)));
      }
    }
    m_layout.version_count = m_columns.size() - m_layout.version;
  }

  StatementWriter& m_writer;
  std::vector<std::string> m_columns;
  FactsLayout m_layout;
};

/// The rows that could be wrong. Each alternative begins with the status, so that an index on it serves them all.
class CandidateCondition {
 public:
  CandidateCondition(const StatementWriter& writer, bool all_queued) : m_writer{writer} {
    m_alternatives = writer.class_conditions({TaskClass::active});
    for (const ClassRule& rule : profile().classes) {
      if (rule.when && rule.contradiction && rule.task_class != TaskClass::active) {
        m_alternatives.push_back(writer.fragment(*rule.when));
      }
    }
    add_queued(all_queued || profile().policy.queued_max_age.has_value());
    if (profile().enabled_rules.contains(Rule::missing_finished_time) && profile().times.finished.given()) {
      add(writer.class_conditions({TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled}),
          {writer.raw(profile().times.finished) + " IS NULL"});
    }
    add_odd_rows();
  }
  [[nodiscard]] std::string sql() const { return any_of(m_alternatives); }

 private:
  [[nodiscard]] const Profile& profile() const { return m_writer.profile(); }

  void add_queued(bool all) {
    const std::vector<std::string> queued = m_writer.class_conditions({TaskClass::queued});
    if (all) {
      std::ranges::copy(queued, std::back_inserter(m_alternatives));
      return;
    }
    std::vector<std::string> signs;
    if (profile().times.finished.given()) {
      signs.push_back(m_writer.raw(profile().times.finished) + " IS NOT NULL");
    }
    if (profile().cancel_request) {
      signs.push_back(is_requested(*profile().cancel_request));
    }
    if (!signs.empty()) {
      add(queued, signs);
    }
  }

  void add_odd_rows() {
    std::vector<std::string> signs;
    if (profile().enabled_rules.contains(Rule::attempts_over_limit)) {
      signs.push_back(more_attempts_than_allowed(m_writer));
    }
    if (profile().enabled_rules.contains(Rule::started_after_finished)) {
      signs.push_back(may_have_begun_after_end(m_writer));
    }
    if (!signs.empty()) {
      add(m_writer.class_conditions(
              {TaskClass::queued, TaskClass::parked, TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled}),
          signs);
    }
  }

  [[nodiscard]] std::string is_requested(const CancelRequestSource& source) const {
    if (source.table.empty()) {
      return m_writer.task_column(source.requested) + " IS NOT NULL";
    }
    return fmt::format("EXISTS (SELECT 1 FROM {} q WHERE {})",
                       m_writer.dialect().table(m_writer.table(source.table).name),
                       m_writer.match(source.table, "q", source.match));
  }

  void add(const std::vector<std::string>& classes, const std::vector<std::string>& signs) {
    for (const std::string& condition : classes) {
      m_alternatives.push_back(fmt::format("(({}) AND {})", condition, any_of(signs)));
    }
  }

  const StatementWriter& m_writer;
  std::vector<std::string> m_alternatives;
};

void add_filter(StatementWriter& writer, std::vector<std::string>& conditions, const Attribute& attribute,
                std::string_view name, const std::vector<std::string>& wanted) {
  if (wanted.empty()) {
    return;
  }
  if (!attribute.given()) {
    throw Error{ExitCode::usage,
                fmt::format("profile '{}' does not say what the {} of a task is", writer.profile().name, name),
                fmt::format("Leave '--{}' out.", name)};
  }
  std::vector<std::string> parameters;
  for (const std::string& value : wanted) {
    if (writer.dialect().can_hold(value)) {
      parameters.push_back(writer.bind(value, "text"));
    }
  }
  conditions.push_back(parameters.empty() ? any_of({})
                                          : fmt::format("{} IN ({})", writer.text(attribute), join(parameters, ", ")));
}

void add_selector(StatementWriter& writer, std::vector<std::string>& conditions, const Selector& selector) {
  const Profile& profile = writer.profile();
  if (!selector.ids.empty()) {
    std::vector<TaskKey> keys;
    for (const std::string& id : selector.ids) {
      keys.push_back(TaskKey::from_text(id, profile.key.size()));
    }
    conditions.push_back(writer.key_in(keys));
  }
  add_filter(writer, conditions, profile.worker, "worker", selector.workers);
  add_filter(writer, conditions, profile.kind, "kind", selector.kinds);
  add_filter(writer, conditions, profile.queue, "queue", selector.queues);
  add_filter(writer, conditions, profile.user, "user", selector.users);
  add_filter(writer, conditions, profile.status, "status", selector.statuses);
}

/// Tasks whose rows of results say that something is wrong, whatever the task's own row says. A set, so that the table
/// of results is read once; it may be too large, never too small.
class ResultSigns {
 public:
  explicit ResultSigns(const StatementWriter& writer) : m_writer{writer} {
    for (const EvidenceSource& source : writer.profile().evidence) {
      if (source.kind == EvidenceSource::Kind::result && writer.table(source.table).can_select) {
        m_alternatives.push_back(in_set(source));
      }
    }
  }
  [[nodiscard]] std::string sql() const { return any_of(m_alternatives); }

 private:
  [[nodiscard]] bool enabled(Rule rule) const { return m_writer.profile().enabled_rules.contains(rule); }

  [[nodiscard]] std::string in_set(const EvidenceSource& source) const {
    std::vector<std::string> own;
    std::vector<std::string> theirs;
    for (const auto& [joined, task] : source.match) {
      const ColumnInfo& column = m_writer.column(source.table, joined);
      const ColumnInfo& key = m_writer.column(m_writer.profile().table, task);
      const bool as_they_are = m_writer.comparable(column.type, key.type);
      const std::string left = m_writer.task_column(task);
      const std::string right = m_writer.qualified("e", column.name);
      own.push_back(as_they_are ? left : m_writer.dialect().as_text(left));
      theirs.push_back(as_they_are ? right : m_writer.dialect().as_text(right));
    }
    const std::string columns = join(theirs, ", ");
    const std::string select =
        fmt::format("SELECT {} FROM {} e", columns, m_writer.dialect().table(m_writer.table(source.table).name));
    std::vector<std::string> sets;
    if (enabled(Rule::duplicate_result)) {
      sets.push_back(fmt::format("{} GROUP BY {} HAVING count(*) > 1", select, columns));
    }
    if (enabled(Rule::cancel_overwritten)) {
      sets.push_back(fmt::format("{}{} WHERE {}", select, not_cancelled(source), says_cancelled(source)));
    }
    return fmt::format("({}) IN ({})", join(own, ", "), join(sets, " UNION "));
  }

  /// Leaves out results of tasks that are cancelled, as nearly all of those that say so are.
  [[nodiscard]] std::string not_cancelled(const EvidenceSource& source) const {
    const StatementWriter tasks{m_writer.profile(), m_writer.schema(), m_writer.dialect(), TaskScope{"o", ""}};
    return fmt::format(" JOIN {} o ON {} AND {}", m_writer.dialect().table(m_writer.task_table().name),
                       tasks.match(source.table, "e", source.match),
                       any_of(tasks.class_conditions({TaskClass::succeeded, TaskClass::failed})));
  }

  /// Looser than the pattern: what it says is decided where all patterns are.
  [[nodiscard]] std::string says_cancelled(const EvidenceSource& source) const {
    const Dialect& dialect = m_writer.dialect();
    const std::string value =
        dialect.as_text(m_writer.qualified("e", m_writer.column(source.table, source.value).name));
    const std::string_view position = dialect.engine() == Engine::sqlite ? "instr" : "strpos";
    std::vector<std::string> conditions;
    for (const EvidencePattern& pattern : source.patterns) {
      if (pattern.outcome == Outcome::cancelled) {
        conditions.push_back(source.regex
                                 ? std::string{"1 = 1"}
                                 : fmt::format("{}({}, {}) > 0", position, value, dialect.literal(pattern.text)));
      }
    }
    return any_of(conditions);
  }

  const StatementWriter& m_writer;
  std::vector<std::string> m_alternatives;
};

}  // namespace

FactsStatement render_facts_by_results(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                       const FactsRequest& request) {
  StatementWriter writer{profile, schema, dialect, TaskScope{std::string{k_task_alias}, ""}};
  const FactsColumns columns{writer, request};
  std::vector<std::string> conditions{
      any_of(writer.class_conditions({TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled})),
      ResultSigns{writer}.sql(), fmt::format("({}) IS NOT TRUE", CandidateCondition{writer, request.all_queued}.sql())};
  add_selector(writer, conditions, request.selector);
  std::string sql = fmt::format("SELECT {} FROM {} {} WHERE {}", columns.sql(), dialect.table(writer.task_table().name),
                                k_task_alias, join(conditions, " AND "));
  return {{std::move(sql), writer.take_parameters()}, columns.layout()};
}

FactsStatement render_facts(const Profile& profile, const Schema& schema, const Dialect& dialect,
                            const FactsRequest& request) {
  StatementWriter writer{profile, schema, dialect, TaskScope{std::string{k_task_alias}, ""}};
  const FactsColumns columns{writer, request};
  std::vector<std::string> conditions;
  switch (request.rows) {
    case FactsRequest::Rows::candidates:
      conditions.push_back(CandidateCondition{writer, request.all_queued}.sql());
      add_selector(writer, conditions, request.selector);
      break;
    case FactsRequest::Rows::by_key:
      conditions.push_back(writer.key_in(request.keys));
      break;
    case FactsRequest::Rows::open:
      conditions.push_back(any_of(writer.class_conditions({TaskClass::queued, TaskClass::active, TaskClass::parked})));
      add_selector(writer, conditions, request.selector);
      break;
    case FactsRequest::Rows::queued:
      conditions.push_back(any_of(writer.class_conditions({TaskClass::queued})));
      add_selector(writer, conditions, request.selector);
      break;
    case FactsRequest::Rows::active:
      conditions.push_back(any_of(writer.class_conditions({TaskClass::active})));
      add_selector(writer, conditions, request.selector);
      break;
    case FactsRequest::Rows::selected:
      add_selector(writer, conditions, request.selector);
      break;
  }
  const std::string where = conditions.empty() ? std::string{} : " WHERE " + join(conditions, " AND ");
  const std::string limit = request.limit ? fmt::format(" LIMIT {}", *request.limit) : std::string{};
  const std::string lock = request.lock ? dialect.lock_clause(k_task_alias) : std::string{};
  std::string sql = fmt::format("SELECT {} FROM {} {}{}{}{}", columns.sql(), dialect.table(writer.task_table().name),
                                k_task_alias, where, limit, lock);
  return {{std::move(sql), writer.take_parameters()}, columns.layout()};
}

}  // namespace taskctl
