#include <catch2/catch.hpp>

#include "refusal.hpp"

using namespace taskctl::testing;

TEST_CASE("bad profiles - liveness requests evidence and hazards") {
  check_refused({
      {"liveness source is unknown", R"(source  = "heartbeat")", R"(source  = "heartbeats")",
       "queue.toml:54:11: key 'liveness[2].source': 'heartbeats' is unknown"},
      {"liveness without source", R"(source  = "heartbeat"
)",
       "", "queue.toml:53:1: key 'liveness[2].source': missing"},
      {"lease without a lease", R"(lease     = "lease_until"
)",
       "", "queue.toml:49:10: key 'liveness[1].source': needs a time that is not given"},
      {"heartbeat without a heartbeat", R"(heartbeat = "beat_at"
)",
       "", "queue.toml:53:11: key 'liveness[2].source': needs a time that is not given"},
      {"timeout without unit", R"(timeout = "1m")", R"(timeout = "60")",
       "queue.toml:55:11: key 'liveness[2].timeout': '60' is not a duration"},
      {"timeout as number", R"(timeout = "1m")", "timeout = 60",
       "queue.toml:55:11: key 'liveness[2].timeout': is an integer"},
      {"timeout of zero", R"(timeout = "1m")", R"(timeout = "0s")",
       "queue.toml:55:11: key 'liveness[2].timeout': is zero"},
      {"timeout missing", R"(timeout = "1m"
)",
       "", "queue.toml:53:1: key 'liveness[2].timeout': missing"},
      {"timeout on a lease", R"(grace  = "10s")", R"(timeout = "10s")",
       "queue.toml:51:1: key 'liveness[1].timeout': unknown key"},
      {"worker table without worker", R"(worker = "worker_id"
)",
       "", "queue.toml:56:1: key 'liveness[3]': a worker table needs to know the task's worker"},
      {"worker table missing is unknown", R"(timeout   = "2m")", R"(timeout   = "2m"
missing = "gone")",
       "queue.toml:63:11: key 'liveness[3].missing': 'gone' is unknown"},
      {"two liveness sources with one name", R"(source  = "sql")", R"(source  = "sql"
name = "lease")",
       "queue.toml:64:1: key 'liveness[4]': is a second source with the name 'lease'"},
      {"cancel request without time", R"(requested = "asked_at"
)",
       "", "queue.toml:68:1: key 'cancel_request.requested': missing"},
      {"cancel request with match only", R"(table     = "cancels"
match     = { job_id = "id" }
requested)",
       R"(match     = { job_id = "id" }
requested)",
       "queue.toml:69:1: key 'cancel_request.match': unknown key"},
      {"evidence source is unknown", R"(source   = "log")", R"(source   = "logs")",
       "queue.toml:74:12: key 'evidence[1].source': 'logs' is unknown"},
      {"evidence value in a log", R"(text     = "line")", R"(value    = "line")",
       "queue.toml:77:1: key 'evidence[1].value': unknown key"},
      {"evidence without order", R"(order_by = "id"
patterns)",
       "patterns", "queue.toml:73:1: key 'evidence[1].order_by': missing"},
      {"evidence pattern with three parts", R"(["done", "succeeded"])", R"(["done", "succeeded", "x"])",
       "queue.toml:79:35: key 'evidence[1].patterns[1][3]': 'x' is unknown"},
      {"evidence pattern with one part", R"(["done", "succeeded"])", R"(["done"])",
       "queue.toml:79:13: key 'evidence[1].patterns[1]': has 1 parts"},
      {"evidence tail is zero", R"(order_by = "id"
patterns)",
       R"(order_by = "id"
tail     = 0
patterns)",
       "queue.toml:79:12: key 'evidence[1].tail': is 0"},
      {"evidence pattern twice", R"(["ERROR", "failed"])", R"(["done", "failed"])",
       "queue.toml:79:37: key 'evidence[1].patterns[2][1]': 'done' stands twice"},
      {"evidence outcome is unknown", R"(["ERROR", "failed"])", R"(["ERROR", "fail"])",
       "queue.toml:79:46: key 'evidence[1].patterns[2][2]': 'fail' is unknown"},
      {"evidence outcome without operations", R"(["ERROR", "failed"])", R"(["ERROR", "cancelled"])",
       "queue.toml:79:46: key 'evidence[1].patterns[2][2]': outcome 'cancelled' has no operations"},
      {"evidence regex is broken", R"(patterns = [["done", "succeeded"])", R"(regex = true
patterns = [["do(ne", "succeeded"])",
       "queue.toml:80:14: key 'evidence[1].patterns[1][1]': 'do(ne' cannot be read"},
      {"evidence by cancel request without one", R"(source   = "log"
table    = "log"
match    = { job_id = "id" }
text     = "line"
order_by = "id"
patterns = [["done", "succeeded"], ["ERROR", "failed"]]
)",
       R"(source = "cancel-request"
)",
       "queue.toml:74:10: key 'evidence[1].source': outcome 'cancelled' has no operations"},
      {"hazard name is taken", R"(name    = "billing")", R"(name    = "young")",
       "queue.toml:82:11: key 'hazard[1].name': 'young' is taken"},
      {"hazard without message", R"(message = "may charge twice"
)",
       "", "queue.toml:81:1: key 'hazard[1].message': missing"},
      {"hazard that is two expressions", "kind = 'billing'", "kind, 'billing'",
       "queue.toml:83:11: key 'hazard[1].when': contains ',' outside of parentheses"},
      {"evidence by cancel request without requests", R"([cancel_request]
table     = "cancels"
match     = { job_id = "id" }
requested = "asked_at"

[[evidence]]
)",
       R"([[evidence]]
source = "cancel-request"

[[evidence]]
)",
       "queue.toml:69:10: key 'evidence[1].source': needs to know where requests stand"},
      {"column of the task in match is no text", R"(match    = { job_id = "id" }
text)",
       R"(match    = { job_id = 1 }
text)",
       "queue.toml:76:23: key 'evidence[1].match.job_id': is an integer"},
      {"text with an empty pattern", R"(["done", "succeeded"])", R"(["", "succeeded"])",
       "queue.toml:79:14: key 'evidence[1].patterns[1][1]': is empty"},
      {"a date for a text", R"(order_by = "id"
patterns)",
       R"(order_by = 2025-01-01
patterns)",
       "queue.toml:78:12: key 'evidence[1].order_by': is a date or time"},
  });
}

TEST_CASE("bad profiles - rules thresholds defaults and reasons") {
  check_refused({
      {"rule is always on", R"(["missing-finished-time"])", R"(["dead"])",
       "queue.toml:87:10: key 'rules.enable': 'dead' is always on"},
      {"rule is unknown", R"(["missing-finished-time"])", R"(["missing-finish-time"])",
       "queue.toml:87:10: key 'rules.enable': 'missing-finish-time' is unknown"},
      {"rule waiting has a threshold", R"(["missing-finished-time"])", R"(["waiting"])",
       "queue.toml:87:10: key 'rules.enable': 'waiting' is turned on by its threshold"},
      {"rule without its time", R"(finished  = "ended_at"
)",
       "", "queue.toml:86:10: key 'rules.enable': 'missing-finished-time' needs a time that is not given"},
      {"rule without its limit", R"(["missing-finished-time"])", R"(["attempts-over-limit"])",
       "queue.toml:87:10: key 'rules.enable': 'attempts-over-limit' needs to know how often a task may be tried"},
      {"rule operations for a rule that is only reported", R"([[rule.missing-finished-time.op]])",
       R"([[rule.bulk-finished.op]])", "queue.toml:111:1: key 'rule.bulk-finished': 'bulk-finished' is unknown"},
      {"default for a rule about the row", R"(dead = "failed")", R"(started-after-finished = "failed")",
       "queue.toml:93:26: key 'defaults.started-after-finished': is a rule that says nothing of how a task ended"},
      {"bulk of one", R"(max_age = "2h")", R"(bulk_finished = 1)",
       "queue.toml:90:17: key 'thresholds.bulk_finished': is 1, expected a number of tasks, at least 2"},
      {"threshold is unknown", R"(max_age = "2h")", R"(maxage = "2h")",
       "queue.toml:90:1: key 'thresholds.maxage': unknown key"},
      {"threshold is negative", R"(max_age = "2h")", R"(max_age = "-2h")",
       "queue.toml:90:11: key 'thresholds.max_age': '-2h' is not a duration"},
      {"threshold is zero", R"(max_age = "2h")", R"(max_age = "0s")",
       "queue.toml:90:11: key 'thresholds.max_age': is zero"},
      {"default for nothing", R"(dead = "failed")", R"(died = "failed")",
       "queue.toml:93:8: key 'defaults.died': 'died' is unknown"},
      {"default for a rule that is only reported", R"(dead = "failed")", R"(clock = "failed")",
       "queue.toml:93:9: key 'defaults.clock': is a rule whose findings are never repaired"},
      {"default outcome is unknown", R"(dead = "failed")", R"(dead = "broken")",
       "queue.toml:93:8: key 'defaults.dead': 'broken' is unknown"},
      {"default without operations", R"(dead = "failed")", R"(dead = "requeued")",
       "queue.toml:93:8: key 'defaults.dead': outcome 'requeued' has no operations"},
      {"reason for nothing", R"(dead = "worker is gone")", R"(ded = "worker is gone")",
       "queue.toml:96:7: key 'reasons.ded': 'ded' is unknown"},
      {"rule operations for a rule that is off", R"(enable = ["missing-finished-time"])", "",
       "queue.toml:86:1: key 'rules.enable': missing"},
      {"control characters are shown escaped", R"(dead = "failed")", R"("de\u001bad" = "failed")",
       R"(queue.toml:93:16: key 'defaults.de\x1bad': 'de\x1bad' is unknown)"},
  });
}

TEST_CASE("bad profiles - operations") {
  check_refused({
      {"outcome is unknown", "[[outcome.succeeded.op]]", "[[outcome.success.op]]",
       "queue.toml:107:1: key 'outcome.success': 'success' is unknown"},
      {"outcome undecided has operations", "[[outcome.succeeded.op]]", "[[outcome.undecided.op]]",
       "queue.toml:107:1: key 'outcome.undecided': 'undecided' is unknown"},
      {"outcome without op", "[[outcome.succeeded.op]]", "[outcome.succeeded]",
       "queue.toml:108:1: key 'outcome.succeeded.do': unknown key"},
      {"op is unknown", R"(do    = "delete")", R"(do    = "remove")",
       "queue.toml:103:9: key 'outcome.failed.op[2].do': 'remove' is unknown"},
      {"op is a vendor call", R"(do    = "delete")", R"(do    = "call")",
       "queue.toml:103:9: key 'outcome.failed.op[2].do': 'call' is unknown"},
      {"set on a delete", R"(do    = "delete")", R"(do    = "delete"
set = { a = "1" })",
       "queue.toml:104:1: key 'outcome.failed.op[2].set': unknown key"},
      {"update without set", R"(set = { status = "'ok'" }
)",
       "", "queue.toml:107:1: key 'outcome.succeeded.op[1].set': missing"},
      {"set is empty", R"(set = { status = "'ok'" })", "set = {}",
       "queue.toml:109:7: key 'outcome.succeeded.op[1].set': is empty"},
      {"set value is no text", R"(set = { status = "'ok'" })", "set = { status = true }",
       "queue.toml:109:18: key 'outcome.succeeded.op[1].set.status': is true or false"},
      {"set changes the key", R"(set = { status = "'ok'" })", R"(set = { id = "id + 1" })",
       "queue.toml:109:7: key 'outcome.succeeded.op[1].set': sets 'id', which identifies the task"},
      {"related rows without match", R"(do    = "delete"
table = "cancels"
match = { job_id = "id" })",
       R"(do    = "delete"
table = "cancels")",
       "queue.toml:102:1: key 'outcome.failed.op[2].match': missing"},
      {"match without table", R"(do    = "delete"
table = "cancels")",
       R"(do    = "delete")", "queue.toml:104:9: key 'outcome.failed.op[2].match': stands without 'table'"},
      {"insert without table", R"(do  = "update"
set = { status = "'ok'" })",
       R"(do  = "insert"
set = { status = "'ok'" })",
       "queue.toml:107:1: key 'outcome.succeeded.op[1].table': missing"},
      {"now in a column without encoding", R"(set = { status = "'ok'" })", R"(set = { touched = ":now" })",
       "queue.toml:109:19: key 'outcome.succeeded.op[1].set.touched': ':now' in column 'touched' of 'jobs' has no "
       "encoding"},
      {"now in a condition", R"(match = { job_id = "id" }

[[outcome.succeeded)",
       R"(match = { job_id = "id" }
when = "asked_at < :now"

[[outcome.succeeded)",
       "queue.toml:106:8: key 'outcome.failed.op[2].when': ':now' has no meaning here"},
      {"rule operations that are not on", R"([rules]
enable = ["missing-finished-time"]
)",
       "", "queue.toml:109:1: key 'rule.missing-finished-time': has operations but the rule is not on"},
      {"rule operations for no rule", "[[rule.missing-finished-time.op]]", "[[rule.missing-time.op]]",
       "queue.toml:111:1: key 'rule.missing-time': 'missing-time' is unknown"},
      {"read-only with operations", R"(safety  = "full")", R"(safety  = "read-only")",
       "queue.toml:111:1: key 'rule.missing-finished-time': has operations in a read-only profile"},
      {"release-only with an end", R"(safety  = "full")", R"(safety  = "release-only")",
       "queue.toml:111:1: key 'rule.missing-finished-time': has operations in a release-only profile"},
      {"placeholder is unknown", R"("'ok'" })", R"(":oops" })",
       "queue.toml:109:18: key 'outcome.succeeded.op[1].set.status': ':oops' is not a placeholder"},
      {"task without a column", R"("'ok'" })", R"(":task" })",
       "queue.toml:109:18: key 'outcome.succeeded.op[1].set.status': ':task' names no column"},
  });
}
