// How somebody gets to a session's page: by a link of another site, by an address, as two people at once.

import { link as linkTo } from "../elsewhere.mjs";
import { history, landed, sight, told } from "../visit.mjs";

/** A page of another site has the link; with `target`, it opens a tab of its own. */
export async function follow(visit, { link, target }) {
  const site = await visit.site(linkTo(link, target));
  const page = await visit.tab();
  await page.goto(site.origin);
  const opened = target ? visit.context.waitForEvent("page") : page;
  await page.getByRole("link", { name: "Go" }).click();
  const there = await opened;
  await landed(there);
  return { ...(await sight(there)), history: await history(there), site: site.origin };
}

/** The link in the address bar. */
export async function enter(visit, { link }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  return { ...(await sight(page)), history: await history(page), codes: await codes(page) };
}

/** The codes in the forms, which no script of another site can read. */
async function codes(page) {
  const inputs = await page.locator("form").evaluateAll((forms) => forms.map((form) => [form.action, form.elements.code.value]));
  return Object.fromEntries(inputs);
}

/** An address, and the message that it comes to in the end. */
export async function open(visit, { address, heading }) {
  const page = await visit.tab();
  const answer = await page.goto(address);
  await told(page, heading);
  return { ...(await sight(page)), status: answer.status() };
}

/** Two links in two tabs of one browser; then the first signs out. */
export async function together(visit, { links }) {
  const pages = [await visit.tab(), await visit.tab()];
  for (const [number, page] of pages.entries()) {
    await page.goto(links[number]);
    await landed(page);
  }
  const both = [];
  for (const page of pages) {
    await page.reload();
    await landed(page);
    await page.getByRole("button", { name: "Show credentials" }).click();
    await page.locator("#given").waitFor();
    both.push(await sight(page));
  }
  const [first, second] = pages;
  await first.getByRole("button", { name: "Sign out" }).click();
  await told(first, "You are signed out");
  await second.goto(new URL(".", second.url()).href);
  await landed(second);
  return { both, left: await sight(first), stays: await sight(second) };
}
