// npm's `oidc-provider`, a certified OpenID Connect provider, on a free port of the loopback interface, with a key for each
// algorithm. conformance/test_providers.py starts it, asks it for tokens as a client does, and ends it.
//
// It prints its issuer. A line `rotate` at its standard input gives it other keys, and it prints `rotated`.

"use strict";

const { createServer } = require("node:http");
const { generateKeyPairSync, randomBytes } = require("node:crypto");
const { createInterface } = require("node:readline");
const { pathToFileURL } = require("node:url");

const KINDS = {
  RS256: ["rsa", { modulusLength: 2048 }],
  PS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  ES384: ["ec", { namedCurve: "P-384" }],
  ES512: ["ec", { namedCurve: "P-521" }],
  EdDSA: ["ed25519", {}],
};
const RESOURCE = "urn:example:sts:";

const key = (alg) => {
  const { privateKey } = generateKeyPairSync(...KINDS[alg]);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: `${alg}-${randomBytes(4).toString("hex")}` };
};

/** What a token is for stands in the resource that the client names, and with it the algorithm it is signed with. */
const getResourceServerInfo = (_context, resource) => {
  const alg = resource.slice(RESOURCE.length);
  return { scope: "", audience: "app", accessTokenFormat: "jwt", accessTokenTTL: 600, jwt: { sign: { alg } } };
};

/** Whoever the address of the sign-in names as `login_hint`, or frida, is signed in at once and agrees, as nobody is there to. */
async function signIn(provider, request, response) {
  const { params } = await provider.interactionDetails(request, response);
  await provider.interactionFinished(request, response, { login: { accountId: params.login_hint ?? "frida" } });
}

async function agree({ oidc }) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope("openid email");
  await grant.save();
  return grant;
}

const settings = (client_secret) => ({
  clients: [
    {
      client_id: "app",
      client_secret,
      grant_types: ["client_credentials", "authorization_code"],
      redirect_uris: ["https://app.example.test/back", "https://daypass.example.test/signin/oidc/northwind/callback"],
    },
  ],
  jwks: { keys: Object.keys(KINDS).map(key) },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, email: `${sub}@example.test`, email_verified: true }) }),
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  // In ID tokens too.
  conformIdTokenClaims: false,
  loadExistingGrant: agree,
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  pkce: { required: () => false },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, getResourceServerInfo, defaultResource: () => undefined },
  },
});

async function main() {
  // Its notices go where its warnings go.
  console.info = console.warn;
  // It is an ES module, which Node does not look for in NODE_PATH.
  const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
  const secret = randomBytes(16).toString("hex");
  let provider;
  const server = createServer((request, response) => {
    if (request.url.startsWith("/interaction/")) signIn(provider, request, response);
    else provider.callback()(request, response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, settings(secret));
  console.log(JSON.stringify({ issuer, secret }));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== "rotate") break;
    provider = new Provider(issuer, settings(secret));
    console.log("rotated");
  }
  process.exit(0);
}

main();
