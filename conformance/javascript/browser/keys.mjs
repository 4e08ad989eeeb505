// A keyboard, and whether somebody sees where it is.

/** More than any page of ours has. */
const STOPS_MAX = 30;

/** What has the focus, and how that shows. */
export const focused = () => {
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
export async function tabTo(page, name, key = "Tab") {
  const stops = [];
  while (stops.at(-1)?.name !== name) {
    if (stops.length === STOPS_MAX) throw new Error(`${key} never came to ${name}: ${JSON.stringify(stops)}`);
    await page.keyboard.press(key);
    stops.push(await page.evaluate(focused));
  }
  return stops;
}
