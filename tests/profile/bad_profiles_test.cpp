#include <catch2/catch.hpp>

#include "refusal.hpp"

using namespace taskctl::testing;

TEST_CASE("bad profiles - head of the file") {
  check_refused({
      {"toml syntax", R"(name    = "sample")", R"(name    = "sample)", "queue.toml:2:18: is not valid TOML"},
      {"toml duplicate key", R"(safety  = "full")", R"(safety  = "full"
safety = "full")",
       "queue.toml:5:10: is not valid TOML"},
      {"no format", R"(format  = 1
)",
       "", "queue.toml:1:1: key 'format': missing"},
      {"future format", "format  = 1", "format  = 2", "queue.toml:1:11: key 'format': is 2"},
      {"format as text", "format  = 1", R"(format  = "1")", "queue.toml:1:11: key 'format': is a text"},
      {"unknown key at the top", "[thresholds]", "[treshold]", "queue.toml:89:2: key 'treshold': unknown key"},
      {"no name", R"(name    = "sample"
)",
       "", "queue.toml:1:1: key 'name': missing"},
      {"name with capital", R"("sample")", R"("Sample")", "queue.toml:2:11: key 'name': 'Sample' is not a name"},
      {"empty name", R"("sample")", R"("")", "queue.toml:2:11: key 'name': is empty"},
      {"no engines", R"(engines = ["sqlite", "postgres"]
)",
       "", "queue.toml:1:1: key 'engines': missing"},
      {"unknown engine", R"("postgres"])", R"("mysql"])", "queue.toml:3:11: key 'engines': 'mysql' is unknown"},
      {"engine twice", R"("postgres"])", R"("sqlite"])", "queue.toml:3:22: key 'engines[2]': 'sqlite' stands twice"},
      {"no safety", R"(safety  = "full"
)",
       "", "queue.toml:1:1: key 'safety': missing"},
      {"safety is a number", R"(safety  = "full")", "safety  = 3",
       "queue.toml:4:11: key 'safety': is an integer, expected one of 'read-only', 'release-only', 'full'"},
      {"unknown safety", R"(safety  = "full")", R"(safety  = "ful")",
       "queue.toml:4:11: key 'safety': 'ful' is unknown"},
  });
}

TEST_CASE("bad profiles - task and its times") {
  check_refused({
      {"no task table", R"(table  = "jobs"
)",
       "", "queue.toml:6:1: key 'task.table': missing"},
      {"table is a number", R"(table  = "jobs")", "table  = 7", "queue.toml:7:10: key 'task.table': is an integer"},
      {"table with two dots", R"(table  = "jobs")", R"(table  = "a.b.c")",
       "queue.toml:7:10: key 'task.table': 'a.b.c' is not the name of a table"},
      {"key is a text", R"(key    = ["id"])", R"(key    = "id")", "queue.toml:8:10: key 'task.key': is a text"},
      {"key is empty", R"(key    = ["id"])", "key    = []", "queue.toml:8:10: key 'task.key': is empty"},
      {"key twice", R"(key    = ["id"])", R"(key    = ["id", "id"])",
       "queue.toml:8:17: key 'task.key[2]': 'id' stands twice"},
      {"unknown key in task", R"(worker = "worker_id")", R"(workers = "worker_id")",
       "queue.toml:10:1: key 'task.workers': unknown key"},
      {"column is empty", R"(status = "status")", R"(status = "")", "queue.toml:9:10: key 'task.status': is empty"},
      {"column with nul", R"(status = "status")", R"(status = "sta\u0000tus")",
       "queue.toml:9:10: key 'task.status': contains a NUL character"},
      {"attribute is an array", R"(status = "status")", R"(status = ["status"])",
       "queue.toml:9:10: key 'task.status': is neither a text nor a table"},
      {"lookup without match", R"(match = { job_id = "id" }, value = "error")", R"(value = "error")",
       "queue.toml:12:10: key 'task.error.match': missing"},
      {"lookup with empty match", R"(match = { job_id = "id" }, value = "error")", R"(match = {}, value = "error")",
       "queue.toml:12:36: key 'task.error.match': is empty"},
      {"pick without order", R"(, order_by = "id" })", R"(, pick = "newest" })",
       "queue.toml:12:79: key 'task.error.pick': stands without 'order_by'"},
      {"pick is unknown", R"(order_by = "id" })", R"(order_by = "id", pick = "latest" })",
       "queue.toml:12:96: key 'task.error.pick': 'latest' is unknown"},
      {"worker that needs the worker", R"(worker = "worker_id")", R"T(worker = { sql = "upper(:worker)" })T",
       "queue.toml:10:18: key 'task.worker.sql': ':worker' stands for itself"},
      {"now in a reading fragment", "lower(kind)", "lower(:now)",
       "queue.toml:11:18: key 'task.kind.sql': ':now' has no meaning here"},
      {"always assigned without worker", R"(worker = "worker_id")", "always_assigned = true",
       "queue.toml:10:19: key 'task.always_assigned': 'always_assigned' needs to know the task's worker"},
      {"no task time", "[task.time]", "[task.times]", "queue.toml:14:7: key 'task.times': unknown key"},
      {"time as expression", R"(started   = "started_at")", R"T(started   = { sql = "now()" })T",
       "queue.toml:16:13: key 'task.time.started.encoding': missing"},
      {"time lookup without encoding", R"(started   = "started_at")",
       R"(started   = { table = "runs", match = { job_id = "id" }, value = "began" })",
       "queue.toml:16:66: key 'task.time.started.value': a time in column 'began' of 'runs' has no encoding"},
      {"start fallback is unknown", R"(created   = "created_at")", R"(created   = "created_at"
start_fallback = ["finished"])",
       "queue.toml:16:19: key 'task.time.start_fallback[1]': 'finished' is unknown"},
      {"first seen is not the last", R"(created   = "created_at")", R"(created   = "created_at"
start_fallback = ["first_seen", "created"])",
       "queue.toml:16:19: key 'task.time.start_fallback[1]': 'first_seen' stands before a time of the row"},
      {"start fallback leads nowhere", R"(created   = "created_at"
started   = "started_at")",
       R"(start_fallback = ["updated"])", "queue.toml:14:1: key 'task.time': says nothing about when a task started"},
      {"time column without encoding", R"(beat_at     = "ms"
)",
       "", "queue.toml:18:13: key 'task.time.heartbeat': a time in column 'beat_at' of 'jobs' has no encoding"},
  });
}

TEST_CASE("bad profiles - encodings") {
  check_refused({
      {"text without zone", R"(zone   = "UTC"
)",
       "", "queue.toml:21:1: key 'encoding.utc.zone': missing"},
      {"zone is unknown", R"(zone   = "UTC")", R"(zone   = "Mars/Olympus")",
       "queue.toml:23:10: key 'encoding.utc.zone': 'Mars/Olympus' is not a time zone that this system knows"},
      {"naive without zone", R"(format = "unix-ms")", R"(format = "naive")",
       "queue.toml:25:1: key 'encoding.ms.zone': missing"},
      {"naive with zone in text", R"(format = "unix-ms")", R"(format = "naive"
zone = "in-text")",
       "queue.toml:27:8: key 'encoding.ms.zone': 'in-text' is not a time zone that this system knows"},
      {"timestamptz on sqlite", R"(format = "unix-ms")", R"(format = "timestamptz")",
       "queue.toml:26:10: key 'encoding.ms.format': names a type that SQLite does not have"},
      {"zone for a number", R"(format = "unix-ms")", R"(format = "unix-ms"
zone = "UTC")",
       "queue.toml:27:1: key 'encoding.ms.zone': unknown key"},
      {"format is unknown", R"(format = "unix-ms")", R"(format = "unix-millis")",
       "queue.toml:26:10: key 'encoding.ms.format': 'unix-millis' is unknown"},
      {"separator is unknown", R"(zone   = "UTC")", R"(zone   = "UTC"
separator = "_")",
       "queue.toml:24:13: key 'encoding.utc.separator': '_' is unknown"},
      {"fraction is out of range", R"(zone   = "UTC")", R"(zone   = "UTC"
fraction = 7)",
       "queue.toml:24:12: key 'encoding.utc.fraction': is 7"},
      {"encoding is unknown", R"(seen_at = "ms")", R"(seen_at = "sm")",
       "queue.toml:36:11: key 'times.workers.seen_at': 'sm' is unknown"},
      {"encoding list is empty", R"(["utc", "ms"])", "[]", "queue.toml:31:15: key 'times.jobs.ended_at': is empty"},
      {"encoding without write", R"(read = ["ms"], write = "ms")", R"(read = ["ms"])",
       "queue.toml:33:15: key 'times.jobs.lease_until.write': missing"},
      {"times of a table that nothing names", "[times.workers]", "[times.worker]",
       "queue.toml:35:1: key 'times.worker': table 'worker' is named nowhere else"},
      {"times of a schema without quotes", "[times.workers]", "[times.queue.workers]",
       "queue.toml:35:1: key 'times.queue.workers': has neither 'read' nor 'write'"},
  });
}

TEST_CASE("bad profiles - classes") {
  check_refused({
      {"no class", "[[class]]", "[class]", "queue.toml:41:1: key 'class': is a table"},
      {"class without form", R"(column    = "status"
)",
       "", "queue.toml:41:1: key 'class[1]': has neither 'when' nor 'column'"},
      {"class with both forms", R"(column    = "status")", R"(column    = "status"
when = "true")",
       "queue.toml:41:1: key 'class[1]': has 'when' and 'column'"},
      {"status in two classes", R"(failed    = ["bad"])", R"(failed    = ["bad", "busy"])",
       "queue.toml:46:21: key 'class[1].failed[2]': status 'busy' is already active"},
      {"statuses of two types", R"(failed    = ["bad"])", "failed    = [3]",
       "queue.toml:46:14: key 'class[1].failed[1]': mixes texts and integers"},
      {"status is a fraction", R"(failed    = ["bad"])", "failed    = [1.5]",
       "queue.toml:46:14: key 'class[1].failed[1]': is a number with a fraction"},
      {"statuses are no list", R"(failed    = ["bad"])", R"(failed    = "bad")",
       "queue.toml:46:13: key 'class[1].failed': is a text"},
      {"null is no class", R"(null      = "queued")", R"(null      = "waiting")",
       "queue.toml:47:13: key 'class[1].null': 'waiting' is unknown"},
      {"unknown class", R"(failed    = ["bad"])", R"(failure   = ["bad"])",
       "queue.toml:46:1: key 'class[1].failure': unknown key"},
      {"outcome without contradiction", R"([[class]]
)",
       R"([[class]]
when = "stage = 1"
class = "parked"
outcome = "failed"

[[class]]
)",
       "queue.toml:44:11: key 'class[1].outcome': says how to repair rows that are not wrong"},
      {"class predicate without class", R"([[class]]
)",
       R"([[class]]
when = "stage = 1"

[[class]]
)",
       "queue.toml:41:1: key 'class[1].class': missing"},
      {"class outcome without operations", R"([[class]]
)",
       R"([[class]]
when = "stage = 1"
class = "parked"
contradiction = true
outcome = "parked"

[[class]]
)",
       "queue.toml:45:11: key 'class[1].outcome': outcome 'parked' has no operations"},
      {"boolean as text", R"(null      = "queued")", R"(
[[class]]
when = "a"
class = "parked"
contradiction = "yes")",
       "queue.toml:51:17: key 'class[2].contradiction': is a text"},
  });
}

TEST_CASE("bad profiles - version") {
  check_refused({
      {"empty", "[thresholds]", "[version]\n[thresholds]", "queue.toml:89:1: key 'version': says nothing"},
      {"no known versions", "[thresholds]", "[version]\nsql = \"1\"\n[thresholds]",
       "queue.toml:89:1: key 'version.known': missing"},
      {"known without a question", "[thresholds]", "[version]\nknown = [\"1\"]\n[thresholds]",
       "queue.toml:90:9: key 'version.known': stands without 'sql'"},
      {"table without a question", "[thresholds]", "[version]\ntable = \"v\"\ncolumns = [\"id\"]\n[thresholds]",
       "queue.toml:90:9: key 'version.table': stands without 'sql'"},
      {"placeholder", "[thresholds]", "[version]\nsql = \":task.id\"\nknown = [\"1\"]\n[thresholds]",
       "queue.toml:90:7: key 'version.sql': holds a placeholder"},
      {"two expressions", "[thresholds]", "[version]\nsql = \"1, 2\"\nknown = [\"1\"]\n[thresholds]",
       "queue.toml:90:7: key 'version.sql': contains ','"},
      {"version twice", "[thresholds]", "[version]\nsql = \"1\"\nknown = [\"1\", \"1\"]\n[thresholds]",
       "queue.toml:91:15: key 'version.known[2]': '1' stands twice"},
  });
}

TEST_CASE("bad profiles - times that are worked out and reasons of a limit") {
  check_refused({
      {"unknown encoding", R"(started   = "started_at")", R"(started   = { sql = "started_at", encoding = "utz" })",
       "queue.toml:16:46: key 'task.time.started.encoding': 'utz' is unknown"},
      {"encoding of what is no time", R"sql({ sql = "lower(kind)" })sql",
       R"sql({ sql = "lower(kind)", encoding = "utc" })sql", "queue.toml:11:33: key 'task.kind.encoding': unknown key"},
      {"the moment of a repair decides nothing", R"(when    = "kind = 'billing'")", R"(when    = "kind = :now_text")",
       "queue.toml:83:11: key 'hazard[1].when': ':now_text' has no meaning here"},
      {"reason without a limit", R"(safety  = "full")", R"(safety  = "full"
safety_reason = "no")",
       "queue.toml:5:17: key 'safety_reason': explains a limit that is not there"},
  });
}
