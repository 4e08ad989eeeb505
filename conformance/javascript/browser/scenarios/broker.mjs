// A company's own sign-in page, on another address than the console that it leads to (examples/identity-broker).

import { axe } from "../chromium.mjs";
import { history, landed, sight, text } from "../visit.mjs";

const WIDTHS = [1360, 390, 320];

/** In light and dark, wide and narrow: what is wrong with the page, in words of axe-core. */
async function complaints(page) {
  await page.evaluate(axe);
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const run = () => axe.run(document, { preload: false });
      const { violations } = await page.evaluate(run);
      found.push(...violations.map(({ id, nodes }) => `${colorScheme} ${width} ${id}: ${nodes[0].target}`));
      const wider = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
      if ((await page.evaluate(wider)) > 0) found.push(`${colorScheme} ${width}: wider than the window`);
    }
  }
  return found;
}

/** A wrong password, what that looks like, and then the right one: by keyboard, across the redirect that the form's policy allows. */
export async function brokered(visit, { broker, username, password }) {
  visit.others.push({ origin: broker, close: async () => {} });
  const page = await visit.tab();
  await page.goto(`${broker}/`);
  const type = async (secret) => {
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type(username);
    await page.keyboard.press("Tab");
    await page.keyboard.type(secret);
    await page.keyboard.press("Enter");
  };
  const first = await complaints(page);
  await type("guess-by-keyboard");
  await page.getByRole("alert").waitFor();
  const refused = { text: await text(page), complaints: await complaints(page) };
  await type(password);
  await landed(page);
  return { complaints: first, refused, arrived: await sight(page), history: await history(page) };
}
