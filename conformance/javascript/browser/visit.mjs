// One visit: a browser profile that nobody used, whoever it meets, and a record of whatever went wrong in it.

import { Elsewhere } from "./elsewhere.mjs";

/** Longest wait for anything, in milliseconds. */
const PATIENCE = 10_000;

/** Tells of what the page's own policy kept from happening. */
const tellViolations = () =>
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`violation of ${event.effectiveDirective}: ${event.blockedURI}`),
  );

export class Visit {
  /** `cookies` are of an earlier visit; `javascript` is false where somebody switched it off. `asks` are others who are asked
      for something; with `anyCertificate`, the server's certificate is not what is looked at. */
  static async begin(browser, { server, cookies = [], javascript = true, asks = [], anyCertificate = false }) {
    const context = await browser.newContext({ javaScriptEnabled: javascript, locale: "en-GB", ignoreHTTPSErrors: anyCertificate });
    context.setDefaultTimeout(PATIENCE);
    await context.addCookies(cookies);
    return new Visit(context, [server, ...asks]);
  }

  constructor(context, known) {
    this.context = context;
    this.known = known;
    this.troubles = [];
    this.others = [];
    this.watched = context.addInitScript(tellViolations);
    context.on("console", (said) => {
      if (["error", "warning"].includes(said.type())) this.troubles.push(`console: ${said.text()}`);
    });
    context.on("weberror", (thrown) => this.troubles.push(`error: ${thrown.error()}`));
    context.on("requestfailed", (request) => this.#failed(request));
    context.on("request", (request) => this.#mind(request));
    context.on("page", remember);
  }

  /** What a page that goes on by itself still loaded is let go of, and no failure. */
  #failed(request) {
    const { errorText } = request.failure();
    if (errorText !== "net::ERR_ABORTED") this.troubles.push(`failed: ${errorText} ${request.url()}`);
  }

  /** Nobody is asked for anything but the server, and the site that a scenario has. */
  #mind(request) {
    const known = [...this.known, ...this.others.map((site) => site.origin)];
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "about:" && !known.includes(origin)) this.troubles.push(`asked elsewhere: ${request.url()}`);
  }

  async tab() {
    await this.watched;
    return this.context.newPage();
  }

  /** Another site, with this for a page. */
  async site(page) {
    const site = await Elsewhere.serve(page);
    this.others.push(site);
    return site;
  }

  async end() {
    await this.context.close();
    for (const site of this.others) await site.close();
  }
}

/** Notes in `page.addresses` what the address bar said. */
function remember(page) {
  page.addresses = [];
  page.on("framenavigated", (frame) => {
    if (frame === page.mainFrame()) page.addresses.push(frame.url());
  });
}

/** The page of a session is there, with all that it loads. */
export async function landed(page) {
  await page.locator("h1#who").waitFor();
  await page.waitForLoadState("load");
}

/** A message of ours with this for a heading. */
export async function told(page, heading) {
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  await page.waitForLoadState("load");
}

/** Has a form sent, and stays until another page is there: the status of the answer. */
export async function sends(page, act) {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    page.waitForEvent("framenavigated"),
    act(),
  ]);
  return answer.status();
}

/** All that stands on a page, in fields too. */
export async function text(page) {
  const fields = await page.locator("textarea").evaluateAll((fields) => fields.map((field) => field.value));
  return [await page.locator("body").innerText(), ...fields].join("\n");
}

/** What somebody sees of a page, and what a script in it could read. */
export async function sight(page) {
  const readable = await page.evaluate(() => ({
    cookie: document.cookie,
    stored: localStorage.length + sessionStorage.length,
    referrer: document.referrer,
  }));
  return { url: page.url(), addresses: page.addresses, title: await page.title(), text: await text(page), readable };
}

/** Everything that "back" and "forward" lead to. */
export async function history(page) {
  const devtools = await page.context().newCDPSession(page);
  const { entries } = await devtools.send("Page.getNavigationHistory");
  await devtools.detach();
  return entries.map((entry) => entry.url);
}
