// From one role to another.

import { tabTo } from "../keys.mjs";
import { landed, sends, sight, told } from "../visit.mjs";

/** Types in the field with the focus, over what is there. */
const type = async (page, text) => {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
};

/** What stands in the fields. */
const kept = async (page) => ({
  account: await page.getByLabel("Account number or alias").inputValue(),
  role: await page.getByLabel("Role name").inputValue(),
});

/** By keyboard alone: each of the tries in the form, the last of which leads to the role. */
export async function switchRole(visit, { link, tries }) {
  const page = await visit.tab();
  await page.goto(link);
  await landed(page);
  const own = page.url();
  const stops = await tabTo(page, "Switch role");
  await page.keyboard.press("Enter");
  await told(page, "Switch role");
  const problems = [];
  for (const [number, { account, role }] of tries.entries()) {
    stops.push(...(await tabTo(page, "Account number or alias")));
    await type(page, account);
    stops.push(...(await tabTo(page, "Role name, with its path if it has one")));
    await type(page, role);
    await sends(page, () => page.keyboard.press("Enter"));
    if (number === tries.length - 1) break;
    const problem = page.getByRole("alert");
    await problem.waitFor();
    await page.waitForLoadState("load");
    problems.push({ says: await problem.innerText(), kept: await kept(page) });
  }
  await landed(page);
  const role = await sight(page);
  await page.goto(own);
  await landed(page);
  return { stops, problems, own, role, stays: await sight(page) };
}
