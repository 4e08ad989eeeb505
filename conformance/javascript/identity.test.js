// Who calls, by what credentials, signed how.
// AWS sources: GetCallerIdentity in the STS API Reference; "Presigned URLs" of aws-iam-authenticator, as EKS reads them.

"use strict";

const assert = require("node:assert/strict");
const { mkdtemp, rm, writeFile } = require("node:fs/promises");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const test = require("node:test");
const { fromIni } = require("@aws-sdk/credential-providers");
const { STS } = require("@aws-sdk/client-sts");
const { ENDPOINT, account, daypass, refused, request, role, signer, sts, user } = require("./house.js");

test("environment alone leads to daypass", async () => {
  const who = await new STS({}).getCallerIdentity({});
  assert.match(who.Account, /^\d{12}$/);
  assert.equal(who.Arn, `arn:aws:iam::${who.Account}:root`);
  assert.equal(who.UserId, who.Account);
});

test("key of a user", async () => {
  const ada = await user();
  const who = await ada.sts.getCallerIdentity({});
  assert.equal(who.Arn, ada.arn);
  assert.equal((await ada.sts.getAccessKeyInfo({ AccessKeyId: ada.keys.accessKeyId })).Account, who.Account);
  const { User } = await ada.iam.getUser({});
  assert.equal(User.UserId, who.UserId);
  assert.ok(User.CreateDate instanceof Date && Date.now() - User.CreateDate < 60_000);
});

test("wrong secret, unknown key", async () => {
  const { keys } = await user();
  const other = { ...keys, secretAccessKey: keys.secretAccessKey.split("").reverse().join("") };
  await refused(sts(other).getCallerIdentity({}), "SignatureDoesNotMatch", 403);
  const nobody = { ...keys, accessKeyId: "AKIAIOSFODNN7EXAMPLE" };
  await refused(sts(nobody).getCallerIdentity({}), "InvalidClientTokenId", 403);
});

test("client corrects a clock that is twenty minutes off", async (context) => {
  const { keys, arn } = await user();
  const now = Date.now();
  for (const [minutes, said] of [[20, /^Signature not yet current/], [-20, /^Signature expired/]]) {
    context.mock.timers.enable({ apis: ["Date"], now: now + minutes * 60_000 });
    const once = await refused(sts(keys).getCallerIdentity({}), "SignatureDoesNotMatch", 403);
    assert.match(once.message, said);
    const client = sts(keys, { maxAttempts: 2 });
    const who = await client.getCallerIdentity({});
    assert.equal(who.Arn, arn);
    assert.equal(who.$metadata.attempts, 2, "refused once, then corrected");
    assert.equal((await client.getCallerIdentity({})).$metadata.attempts, 1, "and remembered");
    context.mock.timers.reset();
  }
});

/** A URL of GetCallerIdentity as `aws eks get-token` makes it: the cluster's name is a signed header. */
async function token(keys, cluster) {
  const query = { Action: "GetCallerIdentity", Version: "2011-06-15" };
  const asked = request("GET", ENDPOINT, { query, headers: { "x-k8s-aws-id": cluster } });
  const more = { expiresIn: 60, unhoistableHeaders: new Set(["x-k8s-aws-id"]) };
  const { query: signed } = await signer(keys, "sts").presign(asked, more);
  return `${ENDPOINT}/?${new URLSearchParams(signed)}`;
}

test("presigned GetCallerIdentity as EKS makes it", async () => {
  const { keys, arn } = await user();
  const url = await token(keys, "shop");
  const answer = await fetch(url, { headers: { "x-k8s-aws-id": "shop", accept: "application/json" } });
  assert.equal(answer.status, 200);
  const told = await answer.json();
  assert.equal(told.GetCallerIdentityResponse.GetCallerIdentityResult.Arn, arn);
  for (const headers of [{ "x-k8s-aws-id": "other" }, {}]) {
    assert.equal((await fetch(url, { headers })).status, 403, "for another cluster it is no proof");
  }
});

test("profile that takes a role", async (context) => {
  const [{ keys }, worker] = [await user(), await role()];
  const folder = await mkdtemp(join(tmpdir(), "daypass-"));
  context.after(() => rm(folder, { recursive: true }));
  const [filepath, configFilepath] = [join(folder, "credentials"), join(folder, "config")];
  await writeFile(filepath, `[ada]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`);
  const lines = [`role_arn = ${worker.arn}`, "source_profile = ada", "role_session_name = profiled", "region = us-east-1"];
  await writeFile(configFilepath, `[profile worker]\n${lines.join("\n")}\n`);
  const who = await sts(fromIni({ profile: "worker", filepath, configFilepath })).getCallerIdentity({});
  assert.equal(who.Arn, `arn:aws:sts::${await account()}:assumed-role/${worker.name}/profiled`);
});

test("daypass's own API by the SDK's signer", async () => {
  const ada = await user();
  const { Sessions } = await daypass(ada.keys, "ListSessions", { AccessKeyId: ada.keys.accessKeyId });
  assert.deepEqual(Sessions, []);
});

test("server of one region refuses clients of another", async () => {
  const { DAYPASS_REGIONAL_ENDPOINT: endpoint, DAYPASS_REGIONAL_REGION: region } = process.env;
  const credentials = {
    accessKeyId: process.env.DAYPASS_REGIONAL_ACCESS_KEY_ID,
    secretAccessKey: process.env.DAYPASS_REGIONAL_SECRET_ACCESS_KEY,
  };
  const here = await sts(credentials, { endpoint, region }).getCallerIdentity({});
  assert.match(here.Arn, /:root$/);
  const there = sts(credentials, { endpoint, region: "ap-southeast-2" }).getCallerIdentity({});
  const error = await refused(there, "SignatureDoesNotMatch", 403);
  assert.match(error.message, /Credential should be scoped to a valid region/);
});
