// The reader that browsers use (WHATWG's URL): a line of JSON for each line, [origin, path] as a browser on a page at
// BASE would go there, or null.
const { createInterface } = require("node:readline");

createInterface({ input: process.stdin }).on("line", (line) => {
  try {
    const url = new URL(JSON.parse(line), process.env.BASE);
    console.log(JSON.stringify([url.origin, url.pathname]));
  } catch {
    console.log("null");
  }
});
