// graphile-worker, driven as its documentation says. See scene.py for the verbs.
import { execute, log } from "./common.mjs";
import { run, runMigrations, makeWorkerUtils } from "graphile-worker";

const [, , verb, database, ...tags] = process.argv;
const schema = process.env.REAL_SCHEMA ?? "graphile_worker";
const connectionString = `postgres:///${database}`;

async function work() {
  await run({
    connectionString,
    schema,
    concurrency: 2,
    pollInterval: 200,
    noHandleSignals: true,
    // Its own recovery begins with the worker, and is repeated after this time.
    ...(verb === "rescue" ? { minResetLockedInterval: 200, maxResetLockedInterval: 300 } : {}),
    taskList: { mail: async ({ tag }) => execute(verb, tag) },
  });
}

if (verb === "add") {
  await runMigrations({ connectionString, schema });
  const utils = await makeWorkerUtils({ connectionString, schema });
  for (const tag of tags) {
    const queueName = tag.startsWith("queued") ? "letters" : undefined;
    const maxAttempts = tag.startsWith("last") ? 1 : undefined;
    const job = await utils.addJob("mail", { tag }, { queueName, maxAttempts });
    log.ids(job.id);
  }
  await utils.release();
} else {
  await work();
}
