import { Job } from "@sidequest/core";
import { execute } from "./common.mjs";

export class MailJob extends Job {
  async run(tag) {
    await execute(process.env.REAL_VERB, tag);
  }
}
