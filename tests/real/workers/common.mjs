// What a job does in these tests.
import { appendFileSync } from "node:fs";

export const log = {
  line: (text) => appendFileSync(process.env.REAL_LOG, text + "\n"),
  ids: (...ids) => console.log(ids.join("\n")),
};

// A job under `hold` never ends. The timer keeps the process alive.
export const hold = () => new Promise(() => setInterval(() => {}, 60_000));

export async function execute(verb, tag) {
  log.line(`start ${tag}`);
  if (verb === "hold") {
    await hold();
  }
  log.line(`done ${tag}`);
}
