// plainjob, driven as its documentation says. See scene.py for the verbs.
import { execute, log } from "./common.mjs";
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker } from "plainjob";

const [, , verb, database, ...tags] = process.argv;
const quiet = { error: console.error, warn: console.error, info: () => {}, debug: () => {} };
const queue = defineQueue({
  connection: better(new Database(database)),
  logger: quiet,
  // Its own recovery runs once a minute; as often as it can under `rescue`, and not at all otherwise.
  maintenanceInterval: verb === "rescue" ? 200 : 3_600_000,
});

if (verb === "add") {
  log.ids(...tags.map((tag) => queue.add("mail", { tag }).id));
  queue.close();
} else {
  for (let worker = 0; worker < 2; worker += 1) {
    defineWorker("mail", (job) => execute(verb, JSON.parse(job.data).tag), { queue, pollIntervall: 100, logger: quiet }).start();
  }
}
