// A browser that Python's tests drive: Debian's Chromium by playwright-core. conformance/support/browser.py starts it, asks
// for scenarios, and ends it.
//
// A line at its standard input is a question, `{"scenario": …, "given": {…}}`; a line at its standard output is the answer,
// `{"seen": …, "troubles": […], "cookies": […]}` or `{"error": …}`. What should be seen is the tests' business.

import { createInterface } from "node:readline";
import { launch } from "./chromium.mjs";
import { Visit } from "./visit.mjs";
import * as appearance from "./scenarios/appearance.mjs";
import * as arrival from "./scenarios/arrival.mjs";
import * as assertions from "./scenarios/assertions.mjs";
import * as broker from "./scenarios/broker.mjs";
import * as departure from "./scenarios/departure.mjs";
import * as keyboard from "./scenarios/keyboard.mjs";
import * as roles from "./scenarios/roles.mjs";
import * as sessions from "./scenarios/sessions.mjs";
import * as signin from "./scenarios/signin.mjs";
import * as strangers from "./scenarios/strangers.mjs";

const SCENARIOS = {
  ...appearance,
  ...arrival,
  ...assertions,
  ...broker,
  ...departure,
  ...keyboard,
  ...roles,
  ...sessions,
  ...signin,
  ...strangers,
};

/** One scenario, in a browser profile of its own. */
async function play(browser, { scenario, given }) {
  if (!Object.hasOwn(SCENARIOS, scenario)) throw new Error(`there is no scenario ${scenario}`);
  const visit = await Visit.begin(browser, given);
  try {
    const seen = await SCENARIOS[scenario](visit, given);
    return { seen, troubles: visit.troubles, cookies: await visit.context.cookies() };
  } finally {
    await visit.end();
  }
}

// What a scenario would have waited for, had it not failed before.
process.on("unhandledRejection", (reason) => console.error(reason));
const browser = await launch();
console.log(JSON.stringify({ version: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await play(browser, JSON.parse(line)).catch((error) => ({ error: error.stack }));
  console.log(JSON.stringify(answer));
}
await browser.close();
