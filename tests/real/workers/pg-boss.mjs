// pg-boss 9, 10 and 12 (REAL_VERSION), driven as their documentations say. See scene.py for the verbs.
import { execute, log } from "./common.mjs";

const [, , verb, database, ...tags] = process.argv;
const version = Number(process.env.REAL_VERSION);
const schema = process.env.REAL_SCHEMA ?? "pgboss";
const module = await import(`pg-boss-${version}`);
const PgBoss = module.PgBoss ?? module.default;
// Its own recovery: as often as it can under `rescue`, and not at all otherwise.
const rescue = verb === "rescue";
const intervals = {
  9: { maintenanceIntervalSeconds: rescue ? 1 : 3600, noSupervisor: !rescue, noScheduling: true },
  10: { maintenanceIntervalSeconds: rescue ? 1 : 3600, supervise: rescue, schedule: false },
  12: { superviseIntervalSeconds: rescue ? 1 : 3600, monitorIntervalSeconds: rescue ? 1 : 3600, supervise: rescue, schedule: false },
}[version];
const boss = new PgBoss({ connectionString: `postgres:///${database}`, schema, ...intervals });
boss.on("error", (error) => console.error(error));
await boss.start();

async function work() {
  const one = (job) => execute(verb, job.data.tag);
  if (version === 9) {
    await boss.work("mail", { teamSize: 2, teamConcurrency: 2, newJobCheckInterval: 200 }, one);
    return;
  }
  for (let worker = 0; worker < 2; worker += 1) {
    await boss.work("mail", { batchSize: 1, pollingIntervalSeconds: 0.5 }, ([job]) => one(job));
  }
  if (version === 12) {
    await boss.work("beating", { pollingIntervalSeconds: 0.5, heartbeatRefreshSeconds: 2 }, ([job]) => one(job));
    await boss.work("stately", { pollingIntervalSeconds: 0.5 }, ([job]) => one(job));
    await boss.work("apart", { pollingIntervalSeconds: 0.5 }, ([job]) => one(job));
  }
}

if (verb === "add") {
  if (version > 9) {
    await boss.createQueue("mail");
  }
  if (version === 12) {
    await boss.createQueue("beating", { heartbeatSeconds: 10 });
    await boss.createQueue("apart", { partition: true });
    await boss.createQueue("stately", { policy: "stately" });
  }
  for (const tag of tags) {
    const name = ["beating", "apart", "stately"].find((queue) => tag.startsWith(queue)) ?? "mail";
    log.ids(await boss.send(name, { tag }, tag.startsWith("last") ? { retryLimit: 0 } : { retryLimit: 3 }));
  }
  await boss.stop({ graceful: false });
  process.exit(0);
} else {
  await work();
}
