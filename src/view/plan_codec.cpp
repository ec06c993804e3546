#include "view/plan_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "store/value_json.hpp"
#include "view/finding_json.hpp"

namespace taskctl {

namespace {

std::string dump_line(const StoredJson& json) {
  try {
    return json.dump();
  } catch (const StoredJson::type_error&) {
    throw Error{ExitCode::mismatch, "a column's or table's name is not valid UTF-8 and cannot stand in a plan"};
  }
}

/// "1h30m"; microseconds where that is not exact.
StoredJson stored_duration(const std::optional<Duration>& length) {
  if (!length) {
    return nullptr;
  }
  constexpr Duration k_longest = std::chrono::hours{24 * 365 * 100};
  const bool exact = length->count() % 1000 == 0 && *length >= Duration::zero() && *length < k_longest;
  return exact ? StoredJson(format_duration(*length)) : StoredJson(length->count());
}

Duration read_length(const StoredJson& json) {
  return json.is_string() ? parse_duration(json.get<std::string>(), BareNumber::refused, "duration")
                          : Duration{json.get<std::int64_t>()};
}

std::optional<Duration> read_duration(const StoredJson& json) {
  return json.is_null() ? std::nullopt : std::optional{read_length(json)};
}

StoredJson stored_outcome(const std::optional<Outcome>& outcome) {
  return outcome ? StoredJson(to_string(*outcome)) : StoredJson();
}

std::optional<Outcome> read_outcome(const StoredJson& json) {
  return json.is_null() ? std::nullopt : std::optional{read_enum<Outcome>(json)};
}

template <typename Enum>
StoredJson stored_enums(const std::vector<Enum>& values) {
  StoredJson array = StoredJson::array();
  for (const Enum value : values) {
    array.push_back(to_string(value));
  }
  return array;
}

template <typename Enum>
std::vector<Enum> read_enums(const StoredJson& json) {
  std::vector<Enum> values;
  for (const StoredJson& entry : json) {
    values.push_back(read_enum<Enum>(entry));
  }
  return values;
}

StoredJson stored_selector(const Selector& selector) {
  return {{"ids", stored_texts(selector.ids)},     {"workers", stored_texts(selector.workers)},
          {"kinds", stored_texts(selector.kinds)}, {"queues", stored_texts(selector.queues)},
          {"users", stored_texts(selector.users)}, {"statuses", stored_texts(selector.statuses)},
          {"rules", stored_enums(selector.rules)}, {"certainties", stored_enums(selector.certainties)}};
}

Selector read_selector(const StoredJson& json) {
  Selector selector;
  selector.ids = read_stored_texts(json.at("ids"));
  selector.workers = read_stored_texts(json.at("workers"));
  selector.kinds = read_stored_texts(json.at("kinds"));
  selector.queues = read_stored_texts(json.at("queues"));
  selector.users = read_stored_texts(json.at("users"));
  selector.statuses = read_stored_texts(json.at("statuses"));
  selector.rules = read_enums<Rule>(json.at("rules"));
  selector.certainties = read_enums<Certainty>(json.at("certainties"));
  return selector;
}

StoredJson stored_policy(const Policy& policy) {
  StoredJson json{{"max_age", stored_duration(policy.max_age)},
                  {"max_age_given", policy.max_age_given},
                  {"reap", stored_duration(policy.reap)},
                  {"settle", stored_duration(policy.settle)},
                  {"cancel_grace", stored_duration(policy.cancel_grace)},
                  {"young", stored_duration(policy.young)},
                  {"queued_max_age", stored_duration(policy.queued_max_age)},
                  {"accepted_hazards", stored_texts({policy.accepted_hazards.begin(), policy.accepted_hazards.end()})},
                  {"outcome", stored_outcome(policy.outcome)},
                  {"overdue", stored_outcome(policy.overdue)},
                  {"dead", stored_outcome(policy.dead)},
                  {"evidence", policy.evidence},
                  {"presumed_dead", stored_optional_text(policy.presumed_dead)}};
  if (policy.alive) {
    json["alive_from"] = stored_text(policy.alive->source);
  }
  return json;
}

Policy read_policy(const StoredJson& json) {
  const auto length = [&json](const char* name) { return read_length(json.at(name)); };
  Policy policy;
  policy.max_age = length("max_age");
  policy.max_age_given = json.at("max_age_given").get<bool>();
  policy.reap = read_duration(json.at("reap"));
  policy.settle = length("settle");
  policy.cancel_grace = length("cancel_grace");
  policy.young = length("young");
  policy.queued_max_age = read_duration(json.at("queued_max_age"));
  for (std::string& hazard : read_stored_texts(json.at("accepted_hazards"))) {
    policy.accepted_hazards.insert(std::move(hazard));
  }
  policy.outcome = read_outcome(json.at("outcome"));
  policy.overdue = read_outcome(json.at("overdue"));
  policy.dead = read_outcome(json.at("dead"));
  policy.evidence = json.at("evidence").get<bool>();
  policy.presumed_dead = read_stored_optional_text(json.at("presumed_dead"));
  if (json.contains("alive_from")) {
    // Never run from here: a file or a journal is no place for commands.
    policy.alive = std::make_shared<AliveList>(
        AliveList{.source = read_stored_text(json.at("alive_from")), .names = {}, .problem = "it was not asked again"});
  }
  return policy;
}

/// Pairs, because a status may be any text.
StoredJson stored_counts(const std::map<std::string, std::int64_t>& counts) {
  StoredJson array = StoredJson::array();
  for (const auto& [text, count] : counts) {
    array.push_back(StoredJson::array({stored_text(text), count}));
  }
  return array;
}

std::map<std::string, std::int64_t> read_counts(const StoredJson& json) {
  std::map<std::string, std::int64_t> counts;
  for (const StoredJson& pair : json) {
    counts[read_stored_text(pair.at(0))] = pair.at(1).get<std::int64_t>();
  }
  return counts;
}

StoredJson stored_why_counts(const Plan& plan) {
  StoredJson object = StoredJson::object();
  for (const auto& [why, count] : plan.left_out_counts) {
    object[std::string{to_string(why)}] = count;
  }
  return object;
}

StoredJson table_names(const Plan& plan) {
  StoredJson array = StoredJson::array();
  for (const TableName& table : plan.tables()) {
    array.push_back(table.display());
  }
  return array;
}

bool is_same_bits(const Value& a, const Value& b) {
  const auto* one = std::get_if<double>(&a);
  const auto* other = std::get_if<double>(&b);
  if (one != nullptr && other != nullptr) {
    return std::bit_cast<std::uint64_t>(*one) == std::bit_cast<std::uint64_t>(*other);
  }
  return a == b;
}

StoredJson stored_image(const std::optional<Image>& image) {
  return image ? stored_columns(*image->columns, image->values) : StoredJson();
}

/// nullptr: not an update whose images have the same columns.
const Image* base_of(const Change& change) {
  const bool shared = change.operation == Operation::update && change.before && change.after &&
                      *change.before->columns == *change.after->columns;
  return shared ? &*change.before : nullptr;
}

StoredJson stored_after(const Change& change) {
  const Image* base = base_of(change);
  if (base == nullptr) {
    return stored_image(change.after);
  }
  StoredJson object = StoredJson::object();
  for (std::size_t i = 0; i < base->values.size(); ++i) {
    if (!is_same_bits(base->values[i], change.after->values[i])) {
      object.push_back({base->columns->at(i), stored_value(change.after->values[i])});
    }
  }
  return object;
}

Image read_image(const StoredJson& json) {
  auto columns = std::make_shared<std::vector<std::string>>();
  Image image;
  read_stored_columns(json, *columns, image.values);
  image.columns = std::move(columns);
  return image;
}

StoredJson stored_change(const Change& change) {
  StoredJson json{{"operation", to_string(change.operation)}};
  if (!change.table.schema.empty()) {
    json["schema"] = change.table.schema;
  }
  json["table"] = change.table.name;
  json["key"] = stored_columns(change.key.columns, change.key.values);
  json["written"] = change.written;
  json["before"] = stored_image(change.before);
  json["after"] = stored_after(change);
  if (change.operation == Operation::update && base_of(change) == nullptr) {
    json["whole"] = true;  // "after" has every column
  }
  return json;
}

void read_after(const StoredJson& json, Change& change) {
  const StoredJson& after = json.at("after");
  if (after.is_null()) {
    return;
  }
  Image image = read_image(after);
  if (change.operation != Operation::update || json.contains("whole") || !change.before) {
    change.after = std::move(image);
    return;
  }
  change.after = change.before;
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    change.after->set(image.columns->at(i), std::move(image.values[i]));
  }
}

/// What the applier takes for granted.
void require_sound(const Change& change) {
  const bool update = change.operation == Operation::update;
  const bool has_images = change.before.has_value() == (change.operation != Operation::insert) &&
                          change.after.has_value() == (change.operation != Operation::remove);
  const bool has_key = change.operation == Operation::insert || !change.key.columns.empty();
  const bool has_written = change.operation == Operation::remove ||
                           std::ranges::all_of(change.written, [&change](const std::string& column) {
                             return change.after && change.after->find(column) != nullptr;
                           });
  if (!has_images || !has_key || !has_written || (update && change.written.empty())) {
    throw Error{ExitCode::mismatch, "a change of '" + change.table.display() + "' is not complete"};
  }
}

Change read_change(const StoredJson& json) {
  Change change;
  change.operation = read_enum<Operation>(json.at("operation"));
  change.table = {json.value("schema", std::string{}), json.at("table").get<std::string>()};
  read_stored_columns(json.at("key"), change.key.columns, change.key.values);
  change.written = json.at("written").get<std::vector<std::string>>();
  if (const StoredJson& before = json.at("before"); !before.is_null()) {
    change.before = read_image(before);
  }
  read_after(json, change);
  require_sound(change);
  return change;
}

void read_texts(const StoredJson& json, Plan& plan) {
  plan.command = json.at("command").get<std::string>();
  plan.identity = read_stored_text(json.at("identity"));
  plan.profile = read_stored_text(json.at("profile"));
  plan.profile_hash = json.at("profile_hash").get<std::string>();
  plan.schema_fingerprint = json.at("schema_fingerprint").get<std::string>();
  plan.reason = read_stored_text(json.at("reason"));
  plan.undoes = json.at("undoes").get<std::string>();
  plan.nonce = json.at("nonce").get<std::string>();
}

}  // namespace

std::string encode_plan_header(const Plan& plan, const PlanFileInfo& info) {
  return dump_line({{"schema", k_plan_format},
                    {"taskctl", info.written_by},
                    {"created", stored_instant(info.created)},
                    {"expires", stored_instant(info.expires)},
                    {"command", plan.command},
                    {"target", stored_text(info.target)},
                    {"identity", stored_text(plan.identity)},
                    {"journal", info.journal},
                    {"profile", stored_text(plan.profile)},
                    {"profile_hash", plan.profile_hash},
                    {"schema_fingerprint", plan.schema_fingerprint},
                    {"now", stored_instant(plan.now)},
                    {"given_now", plan.given_now ? stored_instant(*plan.given_now) : StoredJson()},
                    {"reason", stored_text(plan.reason)},
                    {"selector", stored_selector(plan.selector)},
                    {"policy", stored_policy(plan.policy)},
                    {"force", plan.force},
                    {"is_selected", plan.is_selected},
                    {"undoes", plan.undoes},
                    {"nonce", plan.nonce},
                    {"plan_hash", plan.hash()},
                    {"tables", table_names(plan)},
                    {"task_count", plan.size()},
                    {"change_count", plan.change_count()},
                    {"remaining", plan.remaining},
                    {"left_out", plan.left_out.size()},
                    {"left_out_counts", stored_why_counts(plan)},
                    {"status_before", stored_counts(plan.status_before)},
                    {"warnings", stored_texts(plan.warnings)}});
}

PlanHeader decode_plan_header(std::string_view line) {
  const StoredJson json = StoredJson::parse(line);
  PlanHeader header;
  header.info.written_by = json.at("taskctl").get<std::string>();
  header.info.target = read_stored_text(json.at("target"));
  header.info.journal = json.at("journal").get<std::string>();
  header.info.created = read_stored_instant(json.at("created"));
  header.info.expires = read_stored_instant(json.at("expires"));
  header.plan_hash = json.at("plan_hash").get<std::string>();
  header.units = json.at("task_count").get<std::size_t>();
  header.left_out = json.at("left_out").get<std::size_t>();
  Plan& plan = header.plan;
  read_texts(json, plan);
  plan.now = read_stored_instant(json.at("now"));
  if (const StoredJson& given = json.at("given_now"); !given.is_null()) {
    plan.given_now = read_stored_instant(given);
  }
  plan.selector = read_selector(json.at("selector"));
  plan.policy = read_policy(json.at("policy"));
  plan.force = json.at("force").get<bool>();
  plan.is_selected = json.at("is_selected").get<bool>();
  plan.remaining = json.at("remaining").get<std::int64_t>();
  for (const auto& [why, count] : json.at("left_out_counts").items()) {
    plan.left_out_counts[read_enum<LeftOut::Why>(StoredJson(why))] = count.get<std::int64_t>();
  }
  plan.status_before = read_counts(json.at("status_before"));
  plan.warnings = read_stored_texts(json.at("warnings"));
  if (plan.command == "release-worker" && plan.selector.workers.size() != 1) {
    throw Error{ExitCode::mismatch, "a plan of release-worker names one worker"};
  }
  return header;
}

PlanFormat plan_format_of(std::string_view line) {
  const StoredJson json = StoredJson::parse(line, nullptr, false);
  const auto text = [&json](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json.at(name).is_string();
    return there ? json.at(name).get<std::string>() : std::string{};
  };
  return {text("schema"), text("taskctl")};
}

std::string encode_plan_unit(const PlanUnit& unit) {
  StoredJson json{{"task", stored_text(unit.task)}, {"reason", stored_text(unit.reason)}};
  if (unit.finding) {
    json["finding"] = stored_finding(*unit.finding);
  }
  StoredJson changes = StoredJson::array();
  for (const Change& change : unit.changes) {
    changes.push_back(stored_change(change));
  }
  json["changes"] = std::move(changes);
  if (!unit.depends_on.empty()) {
    json["depends_on"] = unit.depends_on;
  }
  return dump_line(json);
}

PlanUnit decode_plan_unit(std::string_view line) {
  const StoredJson json = StoredJson::parse(line);
  PlanUnit unit;
  unit.task = read_stored_text(json.at("task"));
  unit.reason = read_stored_text(json.at("reason"));
  if (json.contains("finding")) {
    unit.finding = read_stored_finding(json.at("finding"));
  }
  for (const StoredJson& change : json.at("changes")) {
    unit.changes.push_back(read_change(change));
  }
  if (json.contains("depends_on")) {
    unit.depends_on = json.at("depends_on").get<std::vector<std::size_t>>();
  }
  if (unit.changes.empty()) {
    throw Error{ExitCode::mismatch, "task '" + unit.task + "' has no change"};
  }
  return unit;
}

std::string encode_left_out(const LeftOut& left) {
  StoredJson json{
      {"left_out", stored_text(left.task)}, {"why", to_string(left.why)}, {"detail", stored_text(left.detail)}};
  if (left.finding) {
    json["finding"] = stored_finding(*left.finding);
  }
  return dump_line(json);
}

LeftOut decode_left_out(std::string_view line) {
  const StoredJson json = StoredJson::parse(line);
  LeftOut left{.task = read_stored_text(json.at("left_out")),
               .why = read_enum<LeftOut::Why>(json.at("why")),
               .detail = read_stored_text(json.at("detail")),
               .finding = {}};
  if (json.contains("finding")) {
    left.finding = read_stored_finding(json.at("finding"));
  }
  return left;
}

}  // namespace taskctl
