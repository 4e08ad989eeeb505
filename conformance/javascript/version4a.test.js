// Signature Version 4A, once its signer is loaded: for every region.
// AWS source: "How AWS SigV4a works" in the IAM User Guide. The SDK signs so for the region set `*` only.

"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");
require("@aws-sdk/signature-v4a");
const { assume, refused, role, sts, user } = require("./house.js");

const asymmetric = (keys) => sts(keys, { authSchemePreference: ["sigv4a"], sigv4aSigningRegionSet: ["*"] });

/** The Authorization header and the region set that the client's calls went out with. */
function watch(client) {
  const sent = [];
  const see = (next) => async (given) => {
    sent.push([given.request.headers.authorization, given.request.headers["x-amz-region-set"]]);
    return next(given);
  };
  client.middlewareStack.add(see, { step: "finalizeRequest", priority: "low" });
  return sent;
}

test("user and session sign with Version 4A", async () => {
  const [ada, worker] = [await user(), await role()];
  for (const [keys, arn] of [[ada.keys, ada.arn], [await assume(ada, worker), `/${worker.name}/session`]]) {
    const client = asymmetric(keys);
    const sent = watch(client);
    assert.ok((await client.getCallerIdentity({})).Arn.endsWith(arn));
    assert.equal(sent.length, 1);
    assert.match(sent[0][0], /^AWS4-ECDSA-P256-SHA256 Credential=/);
    assert.equal(sent[0][1], "*");
  }
});

test("wrong secret with Version 4A", async () => {
  const { keys } = await user();
  const other = { ...keys, secretAccessKey: keys.secretAccessKey.split("").reverse().join("") };
  await refused(asymmetric(other).getCallerIdentity({}), "SignatureDoesNotMatch", 403);
});
