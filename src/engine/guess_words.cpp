#include "engine/guess_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/text.hpp"

namespace taskctl {

namespace {

using Words = std::vector<std::string>;

/// Per class, the best name for it first.
const std::vector<std::pair<TaskClass, std::vector<std::string_view>>>& vocabulary() {
  static const std::vector<std::pair<TaskClass, std::vector<std::string_view>>> k_vocabulary{
      {TaskClass::queued,
       {"queued",   "pending",   "waiting", "ready",    "available",   "new",     "scheduled", "created",
        "enqueued", "submitted", "open",    "todo",     "idle",        "retry",   "retryable", "retrying",
        "delayed",  "inserted",  "backlog", "requeued", "unprocessed", "received"}},
      {TaskClass::active,
       {"running", "active",  "processing", "in_progress", "inprogress", "working",  "started",  "executing",
        "busy",    "claimed", "locked",     "leased",      "reserved",   "acquired", "assigned", "taken",
        "doing",   "fetched", "picked",     "in_process",  "dispatched", "run"}},
      {TaskClass::parked,
       {"parked", "paused", "held", "hold", "on_hold", "suspended", "blocked", "waiting_approval", "awaiting_approval",
        "needs_approval", "needs_review", "review", "manual", "stopped_by_user"}},
      {TaskClass::succeeded,
       {"succeeded", "success", "successful", "completed", "complete", "done", "finished", "ok", "processed", "ended",
        "closed", "delivered", "sent"}},
      {TaskClass::failed,
       {"failed", "failure", "error", "errored", "dead", "discarded", "broken", "crashed", "timeout", "timed_out",
        "timedout", "expired", "buried", "fatal", "exhausted", "dead_letter", "rejected", "lost"}},
      {TaskClass::cancelled,
       {"cancelled", "canceled", "cancel", "aborted", "revoked", "killed", "terminated", "skipped", "deleted",
        "stopped"}},
  };
  return k_vocabulary;
}

/// Around the word that says what a time is.
constexpr auto k_time_noise = std::to_array<std::string_view>(
    {"at",   "on",      "time",  "ts",    "date",      "datetime", "utc", "ms", "us", "ns",   "sec",
     "secs", "seconds", "epoch", "stamp", "timestamp", "dt",       "d",   "t",  "tm", "unix", "millis"});
constexpr auto k_label_noise = std::to_array<std::string_view>({"id", "name", "code", "s", "c", "txt", "text"});

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

std::string singular(std::string word) {
  if (word.size() > 3 && word.ends_with('s')) {
    word.pop_back();
  }
  return word;
}

/// Without what is said around the meaning; the whole again when nothing would be left.
Words stripped(const Words& words, const Words& table, PropertyKind kind) {
  Words rest;
  for (const std::string& word : words) {
    const bool of_table = std::ranges::any_of(table, [&](const std::string& t) { return singular(t) == word; });
    const bool noise = kind == PropertyKind::time && is_one_of(k_time_noise, word);
    if (!of_table && !noise) {
      rest.push_back(word);
    }
  }
  return rest.empty() ? words : rest;
}

/// "createdon", "startedat" in one word.
std::string without_preposition(const std::string& word) {
  constexpr std::size_t k_shortest = 6;
  return word.size() >= k_shortest && (word.ends_with("on") || word.ends_with("at")) ? word.substr(0, word.size() - 2)
                                                                                     : word;
}

/// The words of one stand in the other, in order and side by side.
bool contains(const Words& words, const Words& wanted) {
  return !wanted.empty() && !std::ranges::search(words, wanted).empty();
}

std::vector<Property> time_properties() {
  using Kind = PropertyKind;
  return {
      {"heartbeat",
       Kind::time,
       {"heartbeat", "last_heartbeat", "heartbeated", "beat", "last_beat", "last_ping", "pinged", "last_pinged", "ping",
        "last_seen", "seen", "keepalive", "keep_alive", "last_alive", "alive", "hb"}},
      {"lease",
       Kind::time,
       {"lease", "lease_expires", "lease_until", "lease_end", "locked_until", "lock_expires", "lock_until",
        "claimed_until", "claim_expires", "reserved_until", "invisible_until", "hidden_until", "visible_after",
        "locked_till"}},
      {"started",
       Kind::time,
       {"started", "start", "began", "begun", "begin", "run_started", "execution_started", "attempted", "executing",
        "executed", "launched", "processing_started", "processing", "running"}},
      {"claimed",
       Kind::time,
       {"claimed", "locked", "reserved", "acquired", "assigned", "leased", "picked", "picked_up", "dequeued", "fetched",
        "taken", "grabbed", "checked_out", "lock"}},
      {"finished",
       Kind::time,
       {"finished", "completed", "ended", "done", "finish", "end", "finalized", "completion", "complete", "closed",
        "processed", "succeeded", "stopped"}},
      {"created",
       Kind::time,
       {"created", "inserted", "added", "enqueued", "queued", "submitted", "creation", "requested", "received",
        "posted", "entered", "create", "insert", "enqueue"}},
      {"updated",
       Kind::time,
       {"updated", "last_updated", "modified", "last_modified", "changed", "last_changed", "update", "mtime", "touched",
        "last_update", "last_change"}},
  };
}

std::vector<Property> other_properties() {
  using Kind = PropertyKind;
  return {
      {"attempts-limit",
       Kind::number,
       {"max_attempts", "max_retries", "max_tries", "attempts_limit", "attempt_limit", "retry_limit", "attempts_max",
        "retries_max", "retry_max", "max_retry", "tries_max"}},
      {"attempts",
       Kind::number,
       {"attempts", "attempt", "attempt_count", "attempts_made", "tries", "try_count", "retry_count", "retries",
        "retry", "num_attempts", "failures", "fail_count"}},
      {"worker", Kind::label, {"worker",      "worker_id", "worker_name", "locked_by",   "claimed_by",
                               "reserved_by", "taken_by",  "picked_by",   "assigned_to", "lock_owner",
                               "agent",       "agent_id",  "host",        "hostname",    "node",
                               "node_id",     "machine",   "runner",      "processor",   "executor",
                               "consumer",    "instance",  "server",      "pid",         "owner"}},
      {"error",
       Kind::label,
       {"error", "last_error", "error_message", "error_text", "errors", "failure", "failure_reason", "fail_reason",
        "exception", "problem", "err", "errmsg", "error_msg", "err_msg"}},
      {"queue", Kind::label, {"queue", "queue_name", "channel", "tube", "lane", "pool", "topic"}},
      {"user",
       Kind::label,
       {"user", "user_id", "username", "user_name", "created_by", "submitted_by", "requested_by", "account",
        "account_id", "customer", "customer_id", "tenant", "tenant_id"}},
      {"kind",
       Kind::label,
       {"kind", "type", "class", "task_type", "job_type", "job_class", "handler", "job_name", "task_name", "job",
        "task", "name", "action", "command", "operation", "function", "event"}},
  };
}

}  // namespace

std::vector<std::string> words_of(std::string_view name) {
  Words words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) {
      words.push_back(std::move(word));
    }
    word.clear();
  };
  bool lower_before = false;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    const bool upper = letter < 0x80 && std::isupper(letter) != 0;
    if (letter < 0x80 && std::isalnum(letter) == 0) {
      end_word();
    } else {
      if (upper && lower_before) {
        end_word();
      }
      word += static_cast<char>(letter < 0x80 ? std::tolower(letter) : letter);
    }
    lower_before = letter < 0x80 && (std::islower(letter) != 0 || std::isdigit(letter) != 0);
  }
  end_word();
  return words;
}

namespace {

/// "rendering", "uploading": what such a task does. What is said of waiting and of ending says nothing of work.
bool is_work_under_way(std::string_view word) {
  constexpr std::size_t k_shortest = 6;
  constexpr auto k_no_work = std::to_array<std::string_view>(
      {"awaiting",    "queueing", "queuing",  "scheduling", "enqueueing", "enqueuing", "pausing",  "holding",
       "blocking",    "sleeping", "missing",  "nothing",    "cancelling", "canceling", "aborting", "stopping",
       "terminating", "killing",  "deleting", "expiring",   "failing",    "finishing", "closing"});
  return word.size() >= k_shortest && word.ends_with("ing") && !is_one_of(k_no_work, word);
}

}  // namespace

std::optional<TaskClass> class_of_word(std::string_view status) {
  const Words words = words_of(status);
  const std::string text = join(words, "_");
  for (const auto& [task_class, names] : vocabulary()) {
    if (std::ranges::find(names, text) != names.end()) {
      return task_class;
    }
  }
  return words.size() == 1 && is_work_under_way(text) ? std::optional{TaskClass::active} : std::nullopt;
}

std::size_t rank_of_word(std::string_view status) {
  const std::string text = join(words_of(status), "_");
  for (const auto& [task_class, names] : vocabulary()) {
    const auto found = std::ranges::find(names, text);
    if (found != names.end()) {
      return static_cast<std::size_t>(found - names.begin());
    }
  }
  constexpr std::size_t k_unknown = 1000;
  return k_unknown;
}

const std::vector<Property>& known_properties() {
  static const std::vector<Property> k_properties = [] {
    std::vector<Property> all{{"status", PropertyKind::label, {"status", "state", "phase", "stage"}}};
    for (std::vector<Property> properties : {time_properties(), other_properties()}) {
      all.insert(all.end(), properties.begin(), properties.end());
    }
    return all;
  }();
  return k_properties;
}

const Property& worker_heartbeat() {
  static const Property k_heartbeat = [] {
    Property property{"worker-heartbeat", PropertyKind::time, {}};
    property.words = std::ranges::find(known_properties(), std::string_view{"heartbeat"}, &Property::flag)->words;
    for (const std::string_view word : {"notified", "last_contact", "contact", "checked_in", "checkin", "check_in",
                                        "last_active", "reported", "last_report", "updated", "last_updated"}) {
      property.words.push_back(word);
    }
    return property;
  }();
  return k_heartbeat;
}

int name_score(const Property& property, std::string_view column, std::string_view table) {
  constexpr int k_exact = 1000;
  constexpr int k_stripped = 700;
  constexpr int k_part = 300;
  constexpr int k_step = 5;
  const Words words = words_of(column);
  Words rest = stripped(words, words_of(table), property.kind);
  if (property.kind == PropertyKind::time && rest.size() == 1) {
    rest.front() = without_preposition(rest.front());
  }
  Words bare = rest;
  if (property.kind == PropertyKind::label && bare.size() > 1 && is_one_of(k_label_noise, bare.back())) {
    bare.pop_back();
  }
  int best = 0;
  for (std::size_t rank = 0; rank < property.words.size(); ++rank) {
    const Words wanted = words_of(property.words[rank]);
    const int penalty = static_cast<int>(rank) * k_step;
    if (words == wanted || (property.kind == PropertyKind::time && rest == wanted)) {
      best = std::max(best, k_exact - penalty);
    } else if (rest == wanted || bare == wanted) {
      best = std::max(best, k_stripped - penalty);
    } else if (contains(rest, wanted)) {
      best = std::max(best, k_part - penalty);
    }
  }
  return best;
}

int table_name_score(std::string_view table) {
  static constexpr auto k_tasks = std::to_array<std::string_view>(
      {"job", "task", "queue", "work", "workitem", "item", "message", "outbox", "execution", "run", "todo", "request"});
  static constexpr auto k_beside = std::to_array<std::string_view>(
      {"log",    "logs",    "history",  "archive",    "event",        "events",     "migration",  "migrations",
       "result", "results", "session",  "audit",      "worker",       "workers",    "agent",      "agents",
       "lock",   "locks",   "schema",   "schedule",   "schedules",    "version",    "cron",       "stat",
       "stats",  "setting", "settings", "dependency", "dependencies", "assignment", "assignments"});
  int score = 0;
  for (const std::string& word : words_of(table)) {
    if (is_one_of(k_beside, word)) {
      score -= 6;
    } else if (is_one_of(k_tasks, word) || is_one_of(k_tasks, singular(word))) {
      score = std::max(score, 0) + 3;
    }
  }
  return score;
}

bool names_workers(std::string_view table) {
  static constexpr auto k_workers =
      std::to_array<std::string_view>({"worker", "agent", "node", "process", "processe", "server", "runner", "host",
                                       "machine", "executor", "instance", "consumer", "heartbeat", "registry"});
  return std::ranges::any_of(words_of(table), [](const std::string& word) {
    return is_one_of(k_workers, singular(word)) || is_one_of(k_workers, word);
  });
}

}  // namespace taskctl
