// When a session is over: in another tab, and behind the button that leads back.

import { history, landed, sight, text, told } from "../visit.mjs";

const signOut = async (page) => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await told(page, "You are signed out");
};

/** Three tabs of one session. One signs out; another is loaded again, and one is asked for credentials. */
export async function signOutInAnotherTab(visit, { link }) {
  const [leaves, reloads, asks] = [await visit.tab(), await visit.tab(), await visit.tab()];
  await leaves.goto(link);
  await landed(leaves);
  for (const page of [reloads, asks]) {
    await page.goto(leaves.url());
    await landed(page);
  }
  await signOut(leaves);
  await reloads.reload();
  await told(reloads, "You are not signed in");
  await asks.getByRole("button", { name: "Show credentials" }).click();
  await told(asks, "You are not signed in");
  return { reloaded: await sight(reloads), asked: await sight(asks) };
}

/** Credentials were on the page, then somebody signed out: all that "back" shows, up to where it ends. */
export async function backAfterSignOut(visit, { link }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  await page.getByRole("button", { name: "Show credentials" }).click();
  await page.locator("#given").waitFor();
  const given = await sight(page);
  await signOut(page);
  const entries = await history(page);
  const shown = [];
  // The page with the link to begin with, and where it ends, are not of the session.
  for (const entry of entries.slice(1, -1).reverse()) {
    await back(page);
    shown.push({ entry, url: page.url(), text: await text(page) });
  }
  return { given, entries, shown };
}

/** One step back. A page that a form made fails, since it is not asked for again without a word of its reader; one that was
    kept whole is shown without being loaded. */
async function back(page) {
  const moved = page.waitForEvent("framenavigated");
  page.goBack().catch(() => undefined);
  await moved;
  if (page.addresses.at(-1).startsWith("chrome-error:")) return;
  // What is there instead is the test's to judge.
  await told(page, "You are not signed in").catch(() => undefined);
}
