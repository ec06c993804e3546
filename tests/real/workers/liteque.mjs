// liteque, driven as its documentation says. See scene.py for the verbs.
import { execute, log } from "./common.mjs";
import { buildDBClient, Runner, SqliteQueue } from "liteque";

const [, , verb, database, ...tags] = process.argv;
const client = buildDBClient(database, { runMigrations: true });
const queue = new SqliteQueue("mail", client, { defaultJobArgs: { numRetries: 2 }, keepFailedJobs: true });

if (verb === "add") {
  for (const tag of tags) {
    const job = await queue.enqueue({ tag }, tag.startsWith("last") ? { numRetries: 0 } : {});
    log.ids(job.id);
  }
} else {
  const run = (job) => execute(verb, job.data.tag);
  await new Runner(queue, { run }, { pollIntervalMs: 100, timeoutSecs: 600, concurrency: 2 }).run();
}
