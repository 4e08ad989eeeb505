// Somebody comes from the page of an identity provider, which is another site and has the browser send a form.

import { form, formByItself } from "../elsewhere.mjs";
import { tabTo } from "../keys.mjs";
import { history, landed, sight, told } from "../visit.mjs";

/** The provider's page, and where it leads: by a script, or by its button. */
async function respond(visit, { action, fields, byItself }) {
  const site = await visit.site((byItself ? formByItself : form)(action, fields));
  const page = await visit.tab();
  await page.goto(site.origin, { waitUntil: "commit" });
  if (!byItself) await page.getByRole("button", { name: "Go" }).click();
  return page;
}

/** A response for one role; then `press`, a button that shows credentials. */
export async function bring(visit, { press, ...given }) {
  const page = await respond(visit, given);
  await landed(page);
  if (press) {
    await page.getByRole("button", { name: press }).click();
    await page.locator("#given").waitFor();
  }
  return { ...(await sight(page)), history: await history(page) };
}

/** A response that comes to a message. */
export async function bringInVain(visit, { heading, ...given }) {
  const page = await respond(visit, given);
  await told(page, heading);
  return sight(page);
}

/** The chooser by keyboard alone; the choice is `down` so many roles below the first. */
async function pick(visit, { down, ...given }) {
  const page = await respond(visit, given);
  await told(page, "Choose a role");
  const chooser = await page.evaluate(scraped);
  const stops = await tabTo(page, chooser.accounts[0].roles[0].name);
  for (let pressed = 0; pressed < down; pressed++) await page.keyboard.press("ArrowDown");
  stops.push(...(await tabTo(page, "Sign in")));
  await page.keyboard.press("Enter");
  return { page, chooser, stops };
}

/** A response for several roles, one of which is chosen. */
export async function choose(visit, given) {
  const { page, chooser, stops } = await pick(visit, given);
  await landed(page);
  return { chooser, stops, ...(await sight(page)), history: await history(page) };
}

/** A choice that comes to a message. */
export async function chooseInVain(visit, { heading, ...given }) {
  const { page } = await pick(visit, given);
  await told(page, heading);
  return sight(page);
}

/** What programs take from the page, as saml2aws does. */
const scraped = () => {
  const told = (account) => ({
    name: account.querySelector("div.saml-account-name").textContent,
    roles: [...account.querySelectorAll("label")].map((label) => ({
      name: label.textContent,
      arn: label.getAttribute("for"),
      value: document.getElementById(label.getAttribute("for")).value,
    })),
  });
  const form = document.querySelector("form");
  return {
    accounts: [...document.querySelectorAll("fieldset > div.saml-account")].map(told),
    action: form.action,
    fields: Object.fromEntries(new FormData(form)),
  };
};
