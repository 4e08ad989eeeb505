// Everything by keyboard alone.

import { landed, sight, told } from "../visit.mjs";

/** More than any page of ours has. */
const STOPS_MAX = 30;

/** What has the focus, and how that shows. */
const focused = () => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  const { top, bottom, height } = element.getBoundingClientRect();
  return {
    tag: element.localName,
    name: element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText,
    outline: outlineStyle === "none" ? 0 : parseFloat(outlineWidth),
    color: outlineColor,
    // Of what is taller than the window a part is enough.
    isInView: height > innerHeight ? top < innerHeight && bottom > 0 : top >= 0 && bottom <= innerHeight,
  };
};

/** A key, until the focus is on that; every stop on the way. */
async function tabTo(page, name, key = "Tab") {
  const stops = [];
  while (stops.at(-1)?.name !== name) {
    if (stops.length === STOPS_MAX) throw new Error(`${key} never came to ${name}: ${JSON.stringify(stops)}`);
    await page.keyboard.press(key);
    stops.push(await page.evaluate(focused));
  }
  return stops;
}

/** The lines of the field with the focus, selected as for copying. */
async function selected(page) {
  await page.keyboard.press("Control+A");
  return page.evaluate(() => {
    const { value, selectionStart, selectionEnd } = document.activeElement;
    return value?.slice(selectionStart, selectionEnd);
  });
}

/** Signed in, credentials selected for either shell, signed out. */
export async function keyboardOnly(visit, { link }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  const toShow = await tabTo(page, "Show credentials");
  await page.keyboard.press("Enter");
  await page.locator("textarea:focus").waitFor();
  const lines = { shell: await selected(page), first: await page.evaluate(focused) };
  const toPowerShell = await tabTo(page, "PowerShell");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.locator("details textarea:focus").waitFor();
  lines.powershell = await selected(page);
  const toSignOut = await tabTo(page, "Sign out", "Shift+Tab");
  await page.keyboard.press("Enter");
  await told(page, "You are signed out");
  return { lines, stops: [lines.first, ...toShow, ...toPowerShell, ...toSignOut], left: await sight(page) };
}
