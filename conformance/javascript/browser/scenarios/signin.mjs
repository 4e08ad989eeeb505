// With a password: the form, the code of a device, another password.

import { focused, tabTo } from "../keys.mjs";
import { history, landed, sight, told } from "../visit.mjs";

/** Types over what is in the field with the focus, and sends the form by the keyboard. */
async function type(page, text) {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

/** By keyboard alone: each step is the heading of its page, and what is typed from the field that has the focus at first
    on, in order. The last one leads to the session. */
export async function signIn(visit, { address, steps }) {
  const page = await visit.tab();
  await page.goto(address);
  const seen = [];
  for (const { heading, typed, problem } of steps) {
    await told(page, heading);
    if (problem) await page.getByRole("alert").waitFor();
    const said = problem ? await page.getByRole("alert").innerText() : null;
    const stops = [await page.evaluate(focused)];
    for (const [number, text] of typed.entries()) {
      if (number > 0) {
        await page.keyboard.press("Tab");
        stops.push(await page.evaluate(focused));
      }
      await type(page, text);
    }
    seen.push({ heading, said, stops, ...(await sight(page)) });
    await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press("Enter")]);
  }
  await landed(page);
  return { seen, last: await sight(page) };
}

/** The same by the mouse, to the session; where "back" leads from there. */
export async function signInAndBack(visit, { address, typed }) {
  const page = await visit.tab();
  await page.goto(address);
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label).fill(text);
  const stops = await tabTo(page, "Sign in");
  await page.keyboard.press("Enter");
  await landed(page);
  const session = await sight(page);
  await page.goBack();
  await told(page, "Sign in");
  const password = await page.getByLabel("Password").inputValue();
  return { stops, session, password };
}

/** From the page where a program asks, to the form, and back to the page. */
export async function signInOnTheWay(visit, { address, typed }) {
  const page = await visit.tab();
  await page.goto(address);
  await page.getByRole("link", { name: "Sign in with a password" }).click();
  await told(page, "Sign in");
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label).fill(text);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: /^Continue as/ }).waitFor();
  return { heading: await page.getByRole("heading", { level: 1 }).innerText(), ...(await sight(page)) };
}

/** At an identity provider, by keyboard alone: from the form of the account to the provider and back to the session, with a
    choice between roles on the way where there are several, of which `first` is the first one. */
export async function signInElsewhere(visit, { address, link, first, down }) {
  const page = await visit.tab();
  await page.goto(address);
  const stops = await tabTo(page, link);
  await page.keyboard.press("Enter");
  if (first) {
    await told(page, "Choose a role");
    stops.push(...(await tabTo(page, first)));
    for (let times = 0; times < down; times++) await page.keyboard.press("ArrowDown");
    stops.push(...(await tabTo(page, "Sign in")));
    await page.keyboard.press("Enter");
  }
  await landed(page);
  return { stops, history: await history(page), ...(await sight(page)) };
}
