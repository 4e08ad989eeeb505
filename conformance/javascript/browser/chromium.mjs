// How the browser is started: the machine's own Chromium, which asks nobody but who the tests have it ask.

import { createRequire } from "node:module";

// NODE_PATH says where the packages are, and `import` does not look there.
const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");
export const axe = require("axe-core").source;

/** Another site for the browser, on loopback like everything. */
export const ELSEWHERE = "elsewhere.test";

/** Names that lead somewhere: another site, and what a test has by a name of its own, `name=address:port`. */
const NAMES = [`MAP ${ELSEWHERE} 127.0.0.1`];
if (process.env.DAYPASS_NAME) NAMES.push(`MAP ${process.env.DAYPASS_NAME.replace("=", " ")}`);

export const launch = () =>
  chromium.launch({
    executablePath: process.env.DAYPASS_CHROMIUM,
    // Where tests run as root there is no sandbox, and the pages are our own.
    chromiumSandbox: false,
    // Somebody's browser has it, and a page that it kept is what "back" must not show.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: [
      "--no-proxy-server",
      "--disable-quic",
      "--disable-background-networking",
      // No name but these leads anywhere.
      `--host-resolver-rules=${NAMES.join(", ")}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
  });
