// Another site: one page on a free port of the loopback interface, under a name of its own.

import { createServer } from "node:http";
import { ELSEWHERE } from "./chromium.mjs";

const escape = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt()};`);

/** A link to an address, in this tab or in a new one. */
export const link = (address, target = "") =>
  `<a href="${escape(address)}" target="${escape(target)}" rel="opener">Go</a>`;

/** A form that sends these fields to an address. */
export const form = (address, fields) =>
  `<form method="post" action="${escape(address)}">${Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join("")}<button>Go</button></form>`;

/** The same, sent by a script as soon as it is there; whoever has none presses the button. */
export const formByItself = (address, fields) => `${form(address, fields)}<script>document.forms[0].submit()</script>`;

/** An address in a frame. */
export const frame = (address) => `<iframe src="${escape(address)}" width="900" height="900"></iframe>`;

export class Elsewhere {
  static async serve(body) {
    const page = `<!doctype html><html lang="en"><title>Elsewhere</title><body>${body}`;
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    return new Elsewhere(server);
  }

  constructor(server) {
    this.server = server;
    this.origin = `http://${ELSEWHERE}:${server.address().port}`;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
