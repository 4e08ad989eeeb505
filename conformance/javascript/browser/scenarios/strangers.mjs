// What another site may try while somebody is signed in here.

import { form, frame } from "../elsewhere.mjs";
import { landed, sight } from "../visit.mjs";

/** A page of ours in a frame of theirs. */
export async function framed(visit, { address }) {
  const site = await visit.site(frame(address));
  const page = await visit.tab();
  await page.goto(site.origin);
  const [inner] = page.mainFrame().childFrames();
  // What is there instead is the test's to judge.
  await inner.waitForURL(/^chrome-error:/, { waitUntil: "commit" }).catch(() => undefined);
  return { url: inner.url(), text: await inner.locator("body").innerText() };
}

/** A form of theirs, with a code that they could not have; then the session's page, to see what came of it. */
export async function forged(visit, { action, fields, path }) {
  const site = await visit.site(form(action, fields));
  const page = await visit.tab();
  await page.goto(site.origin);
  const posted = visit.context.waitForEvent("request", (request) => request.method() === "POST");
  await page.getByRole("button", { name: "Go" }).click();
  const sent = await (await posted).allHeaders();
  await landed(page);
  const after = await sight(page);
  await page.goto(path);
  await landed(page);
  return { sent: { cookie: sent.cookie ?? null, site: sent["sec-fetch-site"] ?? null }, after, still: await sight(page) };
}
