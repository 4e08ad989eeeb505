// How a page looks and reads: light and dark, wide and narrow, to eyes and to a screen reader.

import path from "node:path";
import { axe } from "../chromium.mjs";
import { form } from "../elsewhere.mjs";
import { landed, told } from "../visit.mjs";

const WIDTHS = [1360, 390];
/** WCAG 2.2, 1.4.10 "Reflow": nothing scrolls sideways here. What it says is as in the window before. */
const NARROWEST = 320;
const SCHEMES = ["light", "dark"];

/** In words of the rule: what is wrong, and where. */
const complaints = async () => {
  // Style sheets are read where they are; fetching them once more is what the page's policy forbids.
  const found = await axe.run(document, { preload: false });
  const told = ({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.any[0]?.message ?? node.html}`);
  return {
    violations: found.violations.flatMap(told),
    unsure: found.incomplete.flatMap(told),
    rules: found.passes.map(({ id }) => id),
  };
};

/** The order in which a screen reader comes to headings and landmarks; whether anything is wider than the window, or than
    its place on the page; the narrowest cell of a table. */
const outline = () => ({
  headings: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => Number(heading.localName[1])),
  landmarks: [...document.querySelectorAll("header, nav, main, footer, aside")].map((landmark) => landmark.localName),
  tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  sideways: [...document.querySelectorAll("main *:not(textarea, input, select)")]
    .filter((element) => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.outerHTML.slice(0, 80)),
  narrowest: Math.min(...[...document.querySelectorAll("tbody > tr > *")].map((cell) => cell.clientWidth), innerWidth),
});

/** The page: an address, or a form that another site sends; another `place` of the session that is begun there; what is typed
    and pressed, or the button that sends it, and the heading that this leads to; `next` is a button there, by how its name
    begins, and the heading of the page after that. `spoiled` forms have another code; with `alert`, the page says what was
    wrong. */
async function reach(visit, page, given) {
  const { address, sent, place, typed = {}, presses = [], sends, heading, next, spoiled, held, alert } = given;
  // The page that goes on by itself, kept from that.
  if (held) await page.route(/\?again$/, (route) => route.fulfill({ status: 204 }));
  if (sent) {
    await page.goto((await visit.site(form(address, sent))).origin);
    await page.getByRole("button", { name: "Go" }).click();
  } else {
    await page.goto(address);
  }
  if (presses.length > 0 || place) await landed(page);
  if (place) await page.goto(new URL(place, page.url()).href);
  for (const [label, words] of Object.entries(typed)) await page.getByLabel(label).fill(words);
  if (spoiled) await page.locator("input[name=code]").evaluateAll((codes) => codes.forEach((code) => (code.value = "spoiled")));
  if (sends) await page.getByRole("button", { name: sends, exact: true }).click();
  for (const name of presses) await page.getByText(name, { exact: true }).click();
  if (alert) await page.getByRole("alert").waitFor();
  if (heading) await told(page, heading);
  else await landed(page);
  if (next) {
    await page.getByRole("button", { name: new RegExp(`^${next.button}`) }).click();
    await told(page, next.heading);
  }
}

/** Looks at a page in every way. With `shots`, a folder, it leaves pictures there. */
export async function look(visit, given) {
  const page = await visit.tab();
  await reach(visit, page, given);
  await page.evaluate(axe);
  const looks = {};
  for (const colorScheme of SCHEMES) {
    // Nothing is under way between two colours when they are compared.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [...WIDTHS, NARROWEST]) {
      await page.setViewportSize({ width, height: 900 });
      const name = `${given.name}-${colorScheme}-${width}`;
      const said = width === NARROWEST ? null : await page.evaluate(complaints);
      looks[name] = { said, ...(await page.evaluate(outline)) };
      if (given.shots) await page.screenshot({ path: path.join(given.shots, `${name}.png`), fullPage: true });
    }
  }
  return looks;
}
