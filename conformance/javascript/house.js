// Whom the tests call as, and the requests that no client of the SDK makes. Where daypass is and who root is stands in the
// environment, as for any program that uses the SDK. Nothing here knows the inside of the server.

"use strict";

const assert = require("node:assert/strict");
const { createHash, createHmac, randomBytes } = require("node:crypto");
const { IAM } = require("@aws-sdk/client-iam");
const { STS } = require("@aws-sdk/client-sts");
const { SignatureV4 } = require("@smithy/signature-v4");

const REGION = process.env.AWS_REGION;
const ENDPOINT = process.env.AWS_ENDPOINT_URL_STS;

/** Clients of somebody's; without keys, of whoever the environment says. A test that wants another try says so. */
const sts = (credentials, more) => new STS({ credentials, maxAttempts: 1, ...more });
const iam = (credentials, more) => new IAM({ credentials, maxAttempts: 1, ...more });
const root = { sts: sts(), iam: iam() };

/** A name nobody used. */
const name = (prefix) => `${prefix}-${randomBytes(4).toString("hex")}`;

const document = (...statements) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const allow = (Action, Resource = "*", more = {}) => document({ Effect: "Allow", Action, Resource, ...more });
const trust = (AWS, Action = "sts:AssumeRole", more = {}) =>
  document({ Effect: "Allow", Principal: { AWS }, Action, ...more });

/** The Credentials member of an answer, as clients take it. */
const keysOf = ({ Credentials }) => ({
  accessKeyId: Credentials.AccessKeyId,
  secretAccessKey: Credentials.SecretAccessKey,
  sessionToken: Credentials.SessionToken,
});

const account = async () => (await root.sts.getCallerIdentity({})).Account;

/** A user with an access key and these rights. */
async function user(policy = allow("*")) {
  const { User } = await root.iam.createUser({ UserName: name("node") });
  const { UserName } = User;
  await root.iam.putUserPolicy({ UserName, PolicyName: "rights", PolicyDocument: policy });
  const { AccessKey } = await root.iam.createAccessKey({ UserName });
  const keys = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  return { name: UserName, arn: User.Arn, keys, sts: sts(keys), iam: iam(keys) };
}

/** A role that its account may assume, with these rights. */
async function role(policy = allow("*"), trusts) {
  const actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];
  const AssumeRolePolicyDocument = trusts ?? trust(await account(), actions);
  const { Role } = await root.iam.createRole({ RoleName: name("node"), AssumeRolePolicyDocument });
  await root.iam.putRolePolicy({ RoleName: Role.RoleName, PolicyName: "rights", PolicyDocument: policy });
  return { name: Role.RoleName, arn: Role.Arn };
}

/** The keys of a session of a role. */
const assume = async (who, role, more = {}) =>
  keysOf(await who.sts.assumeRole({ RoleArn: role.arn, RoleSessionName: "session", ...more }));

/** RFC 6238 with the parameters of AWS's virtual devices; `seed` is base32 text. */
function totp(seed, counter) {
  const bits = [...seed].map((digit) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(digit).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const moment = Buffer.alloc(8);
  moment.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac("sha1", key).update(moment).digest();
  const code = (mac.readUInt32BE(mac.at(-1) & 0xf) & 0x7fffffff) % 1_000_000;
  return code.toString().padStart(6, "0");
}

/** A virtual device of the user: its serial number, and the code of so many steps from now. Each code counts once. */
async function phone(who) {
  const { VirtualMFADevice } = await root.iam.createVirtualMFADevice({ VirtualMFADeviceName: name("phone") });
  const { SerialNumber, Base32StringSeed } = VirtualMFADevice;
  const seed = Buffer.from(Base32StringSeed).toString();
  const code = (steps = 0) => totp(seed, Math.floor(Date.now() / 30_000) + steps);
  const pair = { AuthenticationCode1: code(-1), AuthenticationCode2: code(0) };
  await root.iam.enableMFADevice({ UserName: who.name, SerialNumber, ...pair });
  return { serial: SerialNumber, code };
}

/** The SDK's signer, for any service. */
const signer = (credentials, service) =>
  new SignatureV4({ credentials, service, region: REGION, sha256: root.sts.config.sha256 });

/** A request that the SDK's signer takes; `url` is where it would go. */
const request = (method, url, { headers = {}, query = {}, body } = {}) => {
  const { protocol, hostname, port, pathname, host } = new URL(url);
  const whither = { protocol, hostname, port: port ? Number(port) : undefined, path: pathname };
  return { method, ...whither, query, headers: { host, ...headers }, body };
};

/** A call of daypass's own API, which has no client here. */
async function daypass(credentials, operation, input) {
  const body = JSON.stringify(input);
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Daypass_20261101.${operation}` };
  const signed = await signer(credentials, "daypass").sign(request("POST", ENDPOINT, { headers, body }));
  const answer = await fetch(ENDPOINT, { method: "POST", headers: signed.headers, body });
  const told = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(told));
  return told;
}

/** What a service tells daypass of a request for an object that came to it. */
async function described(credentials, url) {
  const body = createHash("sha256").update("").digest("hex");
  const signed = await signer(credentials, "s3").sign(request("GET", url, { headers: { "x-amz-content-sha256": body } }));
  const headers = Object.entries(signed.headers).map(([Name, Value]) => ({ Name, Value }));
  return { Method: "GET", Url: url, Headers: headers, BodySha256: body };
}

/** The call is refused: by this class or with this code, with this status. Gives the error. */
async function refused(call, wanted, status) {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  if (typeof wanted === "string") assert.equal(error.name, wanted, error.message);
  else assert.ok(error instanceof wanted, `${error.name}: ${error.message}`);
  assert.equal(error.$metadata?.httpStatusCode, status, error.message);
  assert.ok(error.$metadata.requestId, "an error has a request id");
  return error;
}

module.exports = {
  ENDPOINT, root, sts, iam, name, document, allow, trust, keysOf, account, user, role, assume, phone, totp, signer, request,
  daypass, described, refused,
};
