#include <catch2/catch.hpp>

#include "contract/repair_scene.hpp"
#include "engine/guard.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// What a healthy application says to its database over the life of a task; {n} is the number of the task.
struct Application {
  std::string profile;
  std::string schema;  ///< SQL, or the name of a fixture
  std::vector<Engine> engines;
  std::vector<std::string> statements;
};

const Application k_task_queue{
    .profile = "task-queue",
    .schema =
        "CREATE TABLE task_queue (task_id text PRIMARY KEY, task_type text NOT NULL, status text NOT NULL DEFAULT "
        "'pending', progress integer DEFAULT 0, error_message text, retry_count integer DEFAULT 0, max_retries "
        "integer DEFAULT 3, created_at text, started_at text, completed_at text, updated_at text)",
    .engines = {Engine::sqlite, Engine::postgres},
    .statements = {
        "INSERT INTO task_queue (task_id, task_type, status, created_at) VALUES ('{n}', 'publish', 'pending', "
        "'2025-12-19T10:00:00.000001')",
        "INSERT INTO task_queue (task_id, task_type) VALUES ('{n}', 'publish') ON CONFLICT (task_id) DO NOTHING",
        "UPDATE task_queue SET status = 'running', started_at = '2025-12-19T10:00:01.000001' WHERE task_id = '{n}' AND "
        "status IN ('pending', 'retry')",
        "UPDATE task_queue SET progress = 50, updated_at = '2025-12-19 02:01:00' WHERE task_id = '{n}'",
        // Fails, and waits to be tried again; an object mapper sets every column.
        "UPDATE task_queue SET status = 'failed', completed_at = '2025-12-19 02:01:10', error_message = 'no network' "
        "WHERE task_id = '{n}'",
        "UPDATE task_queue SET task_type = task_type, status = 'retry', retry_count = retry_count + 1, completed_at = "
        "NULL, error_message = NULL, started_at = started_at, updated_at = '2025-12-19 02:02:00' WHERE task_id = '{n}'",
        "UPDATE task_queue SET status = 'running', started_at = '2025-12-19T10:03:00.000001' WHERE task_id = '{n}'",
        "UPDATE task_queue SET task_type = task_type, status = status, retry_count = retry_count, completed_at = "
        "completed_at, progress = 70 WHERE task_id = '{n}'",
        "INSERT INTO task_queue (task_id, task_type, status, progress) VALUES ('{n}', 'publish', 'running', 80) ON "
        "CONFLICT (task_id) DO UPDATE SET progress = excluded.progress",
        "UPDATE task_queue SET status = 'success', completed_at = '2025-12-19 02:04:00' WHERE task_id = '{n}'",
        "UPDATE task_queue SET status = 'success', completed_at = '2025-12-19 02:04:01', progress = 100 WHERE task_id "
        "= "
        "'{n}'",
        // A second task is cancelled before it starts, as this application does: without a finished time.
        "INSERT INTO task_queue (task_id, task_type) VALUES ('{n}b', 'publish')",
        "UPDATE task_queue SET status = 'cancelled' WHERE task_id = '{n}b'",
        "DELETE FROM task_queue WHERE task_id = '{n}b'"}};

const Application k_jobs{
    .profile = "jobs",
    .schema =
        "CREATE TABLE jobs (id text PRIMARY KEY, task text NOT NULL, status text NOT NULL, created_at bigint NOT "
        "NULL, started_at bigint, completed_at bigint, client_connected integer, error text, metadata text);"
        "CREATE TABLE pending_cancellations (job_id text PRIMARY KEY, reason text NOT NULL, requested_at bigint "
        "NOT NULL)",
    .engines = {Engine::sqlite, Engine::postgres},
    .statements = {
        "INSERT INTO jobs (id, task, status, created_at) VALUES ('{n}', 'write', 'queued', 1752839100000)",
        "UPDATE jobs SET status = 'running', started_at = 1752839100200 WHERE id = '{n}' AND status = 'queued'",
        "UPDATE jobs SET client_connected = 0, metadata = '{}' WHERE id = '{n}'",
        "INSERT INTO pending_cancellations VALUES ('{n}', 'Client disconnected', 1752839100300)",
        "UPDATE jobs SET status = 'cancelled', completed_at = 1752839100400, error = 'Client disconnected' "
        "WHERE id = '{n}'",
        "DELETE FROM pending_cancellations WHERE job_id = '{n}'",
        "UPDATE jobs SET metadata = '{\"seen\": true}' WHERE id = '{n}'",
        "UPDATE jobs SET status = 'queued', started_at = NULL, completed_at = NULL WHERE id = '{n}'",
        "UPDATE jobs SET status = 'running', started_at = 1752839200000 WHERE id = '{n}'",
        "UPDATE jobs SET status = 'completed', completed_at = 1752839300000 WHERE id = '{n}'"}};

const Application k_workspace_tasks{
    .profile = "workspace-tasks",
    .schema = "workspace_tasks.postgres.sql",
    .engines = {Engine::postgres},
    .statements = {
        "INSERT INTO workspace_tasks (id, workspace_id, task_type, execution_mode, status, created_at, updated_at) "
        "VALUES "
        "(100{n}, 'ws-app', 'plan_and_apply', 'agent', 'pending', now(), now())",
        "UPDATE workspace_tasks SET status = 'running', stage = 'planning', agent_id = 'agent-1', started_at = now(), "
        "lock_expires_at = now() + interval '5 min' WHERE id = 100{n}",
        "UPDATE workspace_tasks SET lock_expires_at = now() + interval '5 min', updated_at = now() WHERE id = 100{n}",
        // The plan waits for a person: first the stage, then the status.
        "UPDATE workspace_tasks SET stage = 'apply_pending' WHERE id = 100{n}",
        "UPDATE workspace_tasks SET status = 'apply_pending' WHERE id = 100{n}",
        "UPDATE workspace_tasks SET status = 'running', stage = 'applying' WHERE id = 100{n}",
        "UPDATE workspace_tasks SET status = 'failed', completed_at = now(), error_message = 'no quota' WHERE id = "
        "100{n}",
        "UPDATE workspace_tasks SET status = 'pending', stage = 'pending', completed_at = NULL, retry_count = "
        "retry_count "
        "+ 1 WHERE id = 100{n}",
        "UPDATE workspace_tasks SET status = 'running', stage = 'applying', started_at = now() WHERE id = 100{n}",
        "UPDATE workspace_tasks SET status = 'applied', stage = 'completed', completed_at = now() WHERE id = 100{n}",
        "UPDATE workspace_tasks SET updated_at = now() WHERE id = 100{n}",
        "INSERT INTO workspace_tasks (id, workspace_id, task_type, execution_mode, status, created_at, updated_at) "
        "VALUES "
        "(200{n}, 'ws-app', 'plan', 'agent', 'waiting', now(), now())",
        "UPDATE workspace_tasks SET status = 'cancelled', completed_at = now() WHERE id = 200{n}",
        "DELETE FROM workspace_tasks WHERE id = 200{n}"}};

const Application k_cluster{
    .profile = "cluster",
    .schema = "cluster.postgres.sql",
    .engines = {Engine::postgres},
    .statements = {
        "INSERT INTO tasks (task_id, user_id, docker_image, status, created_at) VALUES ('app-{n}', 'alice', "
        "'ubuntu', 'pending', now())",
        "UPDATE tasks SET status = 'queued' WHERE task_id = 'app-{n}'",
        "BEGIN; INSERT INTO assignments VALUES ('ass-{n}', 'app-{n}', 'worker-1', now()); UPDATE tasks SET "
        "status = 'running', started_at = now() WHERE task_id = 'app-{n}'; COMMIT",
        "BEGIN; INSERT INTO results (task_id, worker_id, status, completed_at) VALUES ('app-{n}', 'worker-1', "
        "'failed', now()); UPDATE tasks SET status = 'failed', completed_at = now() WHERE task_id = "
        "'app-{n}'; COMMIT",
        "UPDATE tasks SET status = 'pending', started_at = NULL, completed_at = NULL WHERE task_id = 'app-{n}'",
        "UPDATE tasks SET status = 'running', started_at = now() WHERE task_id = 'app-{n}'",
        "UPDATE tasks SET status = 'completed', completed_at = now() WHERE task_id = 'app-{n}'",
        "INSERT INTO tasks (task_id, status, created_at) VALUES ('app-{n}b', 'running', now())",
        "UPDATE tasks SET status = 'cancelled', completed_at = now() WHERE task_id = 'app-{n}b'"}};

std::string numbered(std::string statement, int number) {
  for (std::size_t at = 0; (at = statement.find("{n}", at)) != std::string::npos;) {
    statement.replace(at, 3, std::to_string(number));
  }
  return statement;
}

}  // namespace

TEST_CASE("no write of a healthy application is refused or recorded whatever the built-in profile") {
  const auto* application = GENERATE(&k_task_queue, &k_jobs, &k_workspace_tasks, &k_cluster);
  const auto mode = GENERATE(GuardMode::reject, GuardMode::log);
  for (const Engine engine : application->engines) {
    const bool is_fixture = application->schema.ends_with(".sql");
    RepairScene scene{temp_database(engine, is_fixture ? fixture(application->schema) : application->schema),
                      parse_profile(builtin_profile_text(application->profile), application->profile), k_queue_now};
    Guard guard{scene.connection(), scene.profile(), scene.store().schema(), "taskctl"};
    guard.run(guard.install_statements(mode));
    for (int task = 1; task <= 3; ++task) {
      for (const std::string& statement : application->statements) {
        INFO(application->profile << " on " << to_string(engine) << ": " << numbered(statement, task));
        CHECK_NOTHROW(scene.database().exec(numbered(statement, task)));
      }
    }
    CHECK(guard.report(10).empty());
    CHECK(guard.status().matches());
  }
}
