// Sessions that an identity provider vouches for: nobody here holds a key.
// AWS sources: AssumeRoleWithWebIdentity and AssumeRoleWithSAML in the STS API Reference; the credential providers of the SDK.

"use strict";

const told = (name) => process.env[`DAYPASS_FEDERATED_${name}`];
// Every file of tests is a process of its own. This one is that of a program without keys.
for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) delete process.env[name];
process.env.AWS_ENDPOINT_URL_STS = process.env.AWS_ENDPOINT_URL_IAM = told("ENDPOINT");

const assert = require("node:assert/strict");
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const test = require("node:test");
const { fromNodeProviderChain, fromTokenFile, fromWebToken } = require("@aws-sdk/credential-providers");
const { ExpiredTokenException, IDPCommunicationErrorException, InvalidIdentityTokenException } = require("@aws-sdk/client-sts");
const { iam, keysOf, refused, sts } = require("./house.js");

const [role, webIdentityTokenFile] = [told("ROLE"), told("TOKEN_FILE")];
const token = () => readFileSync(webIdentityTokenFile, "utf8");
const session = (arn, name) => new RegExp(`:assumed-role/${arn.split("/").at(-1)}/${name}$`);

test("token from a file, by its variables as in a pod", async () => {
  const variables = { AWS_ROLE_ARN: role, AWS_WEB_IDENTITY_TOKEN_FILE: webIdentityTokenFile, AWS_ROLE_SESSION_NAME: "pod" };
  Object.assign(process.env, variables);
  try {
    for (const credentials of [undefined, fromNodeProviderChain(), fromTokenFile()]) {
      assert.match((await sts(credentials).getCallerIdentity({})).Arn, session(role, "pod"));
    }
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
});

test("token from a file that is written anew", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-"));
  const file = join(folder, "token");
  const read = () => fromTokenFile({ roleArn: role, roleSessionName: "file", webIdentityTokenFile: file })();
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(file, told("EXPIRED_TOKEN"));
  await assert.rejects(read(), /^ExpiredTokenException: Token expired: current date\/time \d+ must be before/);
  writeFileSync(file, token());
  assert.match((await sts(await read()).getCallerIdentity({})).Arn, session(role, "file"));
});

test("token that the program has", async () => {
  const credentials = fromWebToken({ roleArn: role, roleSessionName: "web", webIdentityToken: token(), durationSeconds: 900 });
  const { expiration } = await credentials();
  const left = (expiration - Date.now()) / 1000;
  assert.ok(left > 840 && left <= 901, `${left} seconds`);
  assert.match((await sts(credentials).getCallerIdentity({})).Arn, session(role, "web"));
});

test("answer to a token", async () => {
  const answer = await sts().assumeRoleWithWebIdentity({ RoleArn: role, RoleSessionName: "web", WebIdentityToken: token() });
  const provider = told("ISSUER").split("://")[1];
  assert.equal(answer.SubjectFromWebIdentityToken, "alice");
  assert.equal(answer.Audience, "app");
  assert.ok(answer.Provider.endsWith(`:oidc-provider/${provider}`));
  await iam(keysOf(answer)).listUsers({ MaxItems: 1 });
});

test("tokens that are refused", async () => {
  const call = (WebIdentityToken) => sts().assumeRoleWithWebIdentity({ RoleArn: role, RoleSessionName: "web", WebIdentityToken });
  await refused(call(told("EXPIRED_TOKEN")), ExpiredTokenException, 400);
  const error = await refused(call("an.access.token"), InvalidIdentityTokenException, 400);
  assert.ok(!(error instanceof IDPCommunicationErrorException));
  assert.match(error.message, /^The ID Token provided is not a valid JWT/);
});

test("SAML response, once", async () => {
  const [RoleArn, PrincipalArn, SAMLAssertion] = [told("SAML_ROLE"), told("SAML_PROVIDER"), told("SAML_RESPONSE")];
  const call = { RoleArn, PrincipalArn, SAMLAssertion, DurationSeconds: 900 };
  const answer = await sts().assumeRoleWithSAML(call);
  const { Subject, SubjectType, Issuer, Audience, NameQualifier, AssumedRoleUser } = answer;
  assert.deepEqual([Subject, SubjectType, Issuer], ["alice", "persistent", told("SAML_ISSUER")]);
  assert.equal(Audience, "https://signin.aws.amazon.com/saml");
  assert.match(NameQualifier, /^[\w+/]{27}=$/);
  assert.match(AssumedRoleUser.Arn, session(RoleArn, "alice@example.test"));
  const keys = keysOf(answer);
  assert.equal((await sts(keys).getCallerIdentity({})).Arn, AssumedRoleUser.Arn);
  await iam(keys).listUsers({ MaxItems: 1 });
  await refused(sts().assumeRoleWithSAML(call), InvalidIdentityTokenException, 400);
});
