// The account's sessions: found, looked at, ended.

import { tabTo } from "../keys.mjs";
import { landed, sends, sight, told } from "../visit.mjs";

const goTo = async (page, link, place) => {
  await page.goto(link);
  await landed(page);
  await page.getByRole("link", { name: place, exact: true }).click();
  await told(page, place);
};

/** The sessions in the table, as their rows read. */
const rows = async (page) => {
  const found = page.locator("tbody tr");
  return found.evaluateAll((all) =>
    all.map((row) => ({ name: row.querySelector("a").innerText, href: row.querySelector("a").href, text: row.innerText })),
  );
};

/** One search after the other, each with `by`, `text` and `ended` as the form has them; `older` as often as it leads on. */
export async function search(visit, { link, searches }) {
  const page = await visit.tab();
  await goTo(page, link, "Sessions");
  const found = [];
  for (const { by, text, ended = false, older = 0 } of searches) {
    await page.getByLabel("Search by").selectOption({ label: by });
    await page.locator("#text").fill(text);
    await page.getByLabel("Ended ones too").setChecked(ended);
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL((url) => url.searchParams.get("text") === text);
    const pages = [await rows(page)];
    for (let turned = 0; turned < older; turned++) {
      await page.getByRole("button", { name: "Older ones" }).click();
      await page.waitForURL((url) => url.searchParams.has("marker"));
      pages.push(await rows(page));
    }
    const isMore = (await page.getByRole("button", { name: "Older ones" }).count()) > 0;
    found.push({ pages, isMore, kept: await kept(page), ...(await sight(page)) });
  }
  return found;
}

/** What the form says after the search. */
const kept = (page) =>
  page.evaluate(() => ({
    by: document.querySelector("#by").selectedOptions[0].label,
    text: document.querySelector("#text").value,
    ended: document.querySelector("#ended").checked,
  }));

/** By keyboard alone: the sessions, the one whose name begins so, and its end. */
export async function findAndEnd(visit, { link, text, name, end }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  const stops = await tabTo(page, "Sessions");
  await page.keyboard.press("Enter");
  await told(page, "Sessions");
  stops.push(...(await tabTo(page, "Search by")), ...(await tabTo(page, "Value")));
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("text") === text);
  stops.push(...(await tabTo(page, name)));
  await page.keyboard.press("Enter");
  await told(page, name);
  const before = await sight(page);
  stops.push(...(await tabTo(page, end)));
  await sends(page, () => page.keyboard.press("Enter"));
  await told(page, name);
  return { stops, before, after: await sight(page) };
}

/** One session's page, and what is pressed there; the heading that it leads to. */
export async function oneSession(visit, { link, session, press, heading }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  const own = page.url();
  await page.goto(new URL(`sessions/${session}`, own).href);
  await page.locator("h1#which").waitFor();
  const chain = await page.locator("ol.chain li").allInnerTexts();
  const shown = { ...(await sight(page)), chain, issued: await rows(page) };
  if (!press) return { shown };
  const more = page.getByText(`${press}…`, { exact: true });
  if (await more.count()) await more.click();
  const status = await sends(page, () => page.getByRole("button", { name: press, exact: true }).click());
  await told(page, heading);
  if (await more.count()) await more.click();
  const done = await page.getByRole("status").allInnerTexts();
  const buttons = await page.getByRole("button").allInnerTexts();
  return { shown, status, after: { ...(await sight(page)), buttons, done } };
}

/** A place of somebody who may not go there, and the way back. */
export async function denied(visit, { link, place, heading }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  const answer = await page.goto(new URL(place, page.url()).href);
  await told(page, heading);
  const there = await sight(page);
  await page.getByRole("link", { name: "Back to your session" }).click();
  await landed(page);
  return { status: answer.status(), there, back: await sight(page) };
}
