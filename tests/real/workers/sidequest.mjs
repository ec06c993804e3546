// sidequest, driven as its documentation says. See scene.py for the verbs. The jobs are in sidequest-mail.mjs.
import { Sidequest } from "sidequest";
import { log } from "./common.mjs";
import { MailJob } from "./sidequest-mail.mjs";

const [, , verb, database, ...tags] = process.argv;
process.env.REAL_VERB = verb;
const sqlite = database.includes("/");
const options = {
  backend: sqlite
    ? { driver: "@sidequest/sqlite-backend", config: database }
    : { driver: "@sidequest/postgres-backend", config: `postgres:///${database}` },
  logger: { level: "error" },
};

if (verb === "add") {
  await Sidequest.configure(options);
  for (const tag of tags) {
    const builder = Sidequest.build(MailJob).maxAttempts(tag.startsWith("last") ? 1 : 5);
    const job = await (tag.startsWith("timed") ? builder.timeout(120_000) : builder).enqueue(tag);
    log.ids(job.id);
  }
  await Sidequest.stop();
  process.exit(0);
} else {
  await Sidequest.start({
    ...options,
    queues: [{ name: "default", concurrency: 2 }],
    jobPollingInterval: 100,
    dashboard: { enabled: false },
    gracefulShutdown: false,
    // Its own recovery runs when the engine starts, then once an hour.
    releaseStaleJobsIntervalMin: verb === "rescue" ? 1 : false,
  });
}
