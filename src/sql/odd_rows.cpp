#include "sql/odd_rows.hpp"

#include <fmt/format.h>

#include "sql/column_type.hpp"
#include "sql/render.hpp"

namespace taskctl {

namespace {

struct Operand {
  std::string expression;
  std::string type;  ///< the catalogue's
};

Operand operand(const StatementWriter& writer, const Attribute& attribute) {
  Operand result;
  result.expression = writer.attribute(attribute, [&](const std::string& expression, const std::string& type) {
    result.type = type;
    return expression;
  });
  return result;
}

/// a > b of two numbers or two times of one encoding. Where the database may see something else in them than the
/// decoder does: both are there.
std::string greater(const StatementWriter& writer, const Operand& a, const Operand& b, bool ordered) {
  const bool sqlite = writer.dialect().engine() == Engine::sqlite;
  const bool texts = postgres_family(a.type) == TypeFamily::text;
  if (!ordered || (!sqlite && (texts || !writer.comparable(a.type, b.type)))) {
    return fmt::format("({} IS NOT NULL AND {} IS NOT NULL)", a.expression, b.expression);
  }
  // A number in a column of texts is compared as a text without the cast.
  return sqlite ? fmt::format("CAST({} AS REAL) > CAST({} AS REAL)", a.expression, b.expression)
                : fmt::format("{} > {}", a.expression, b.expression);
}

/// How the column is read, when there is one way; nullptr: there are several.
const TimeStyle* only_style(const Profile& profile, const Attribute& attribute) {
  if (attribute.kind == Attribute::Kind::sql) {
    return nullptr;
  }
  const bool lookup = attribute.kind == Attribute::Kind::lookup;
  const ColumnEncoding* encoding =
      profile.encoding_of(lookup ? attribute.table : profile.table, lookup ? attribute.value : attribute.column);
  return encoding == nullptr || encoding->read.size() != 1 ? nullptr : &encoding->read.front();
}

/// Is the order of the stored values the order of the times? A wall clock of one zone never goes back as it is read.
bool in_order_as_stored(const Profile& profile) {
  const TimeStyle* started = only_style(profile, profile.times.started);
  const TimeStyle* finished = only_style(profile, profile.times.finished);
  if (started == nullptr || finished == nullptr || started->format != finished->format) {
    return false;
  }
  const bool same_zone = started->zone && finished->zone && started->zone->name() == finished->zone->name();
  return started->format != TimeFormat::text && (started->format != TimeFormat::naive || same_zone);
}

}  // namespace

std::string more_attempts_than_allowed(const StatementWriter& writer) {
  const Profile& profile = writer.profile();
  return greater(writer, operand(writer, profile.attempts_used), operand(writer, profile.attempts_limit), true);
}

bool counts_attempts_in_requeueing(const StatementWriter& writer) {
  const Profile& profile = writer.profile();
  if (!profile.attempts_requeued.given() || !profile.attempts_limit.given()) {
    return false;
  }
  return writer.dialect().engine() == Engine::sqlite ||
         postgres_family(operand(writer, profile.attempts_used).type) != TypeFamily::text;
}

std::string fewer_attempts_than_allowed(const StatementWriter& writer) {
  const Profile& profile = writer.profile();
  return greater(writer, operand(writer, profile.attempts_limit), operand(writer, profile.attempts_used), true);
}

std::string may_have_begun_after_end(const StatementWriter& writer) {
  const Profile& profile = writer.profile();
  return greater(writer, operand(writer, profile.times.started), operand(writer, profile.times.finished),
                 in_order_as_stored(profile));
}

RenderedStatement render_finished_together(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                           const std::optional<TaskKey>& key) {
  StatementWriter writer{profile, schema, dialect};
  const Operand finished = operand(writer, profile.times.finished);
  const std::string tasks = dialect.table(writer.task_table().name) + " t";
  const std::string of_task = key ? fmt::format(" AND f.f__at IN (SELECT {} FROM {} WHERE {})", finished.expression,
                                                tasks, writer.key_in({&*key, 1}))
                                  : std::string{};
  std::string sql = fmt::format(
      "SELECT {}, {}, count(*) FROM (SELECT {} AS f__at FROM {}) f WHERE f.f__at IS NOT NULL{} GROUP BY f.f__at HAVING "
      "count(*) >= {} ORDER BY f.f__at",
      dialect.as_time("f.f__at", finished.type), dialect.as_text("f.f__at"), finished.expression, tasks, of_task,
      profile.bulk_finished);
  return {std::move(sql), writer.take_parameters()};
}

}  // namespace taskctl
