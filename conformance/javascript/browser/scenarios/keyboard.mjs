// The page of a session by keyboard alone.

import { focused, tabTo } from "../keys.mjs";
import { landed, sight, told } from "../visit.mjs";

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
