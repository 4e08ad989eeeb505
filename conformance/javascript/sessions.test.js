// Sessions: asked for, narrowed, chained, handed on, ended.
// AWS sources: AssumeRole, GetFederationToken and GetScopedCredentials in the STS API Reference; RevokeSession is daypass's.

"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");
const { fromTemporaryCredentials } = require("@aws-sdk/credential-providers");
const { InsufficientSessionLifetimeException, InvalidSubjectCredentialsException } = require("@aws-sdk/client-sts");
const { account, allow, assume, daypass, document, iam, keysOf, refused, role, root, sts, user } = require("./house.js");

const ended = (keys) => refused(sts(keys).getCallerIdentity({}), "ExpiredToken", 403);

test("session with tags, a policy and a source identity", async () => {
  const tagged = { StringEquals: { "aws:PrincipalTag/Team": "blue", "aws:SourceIdentity": "ada" } };
  const [ada, worker] = [await user(), await role(allow("iam:*", "*", { Condition: tagged }))];
  const answer = await ada.sts.assumeRole({
    RoleArn: worker.arn,
    RoleSessionName: "job",
    SourceIdentity: "ada",
    Tags: [{ Key: "Team", Value: "blue" }],
    Policy: allow("iam:ListUsers"),
    DurationSeconds: 900,
  });
  const arn = `arn:aws:sts::${await account()}:assumed-role/${worker.name}/job`;
  assert.equal(answer.AssumedRoleUser.Arn, arn);
  assert.equal(answer.SourceIdentity, "ada");
  assert.ok(answer.PackedPolicySize > 0 && answer.PackedPolicySize < 100);
  const left = (answer.Credentials.Expiration - Date.now()) / 1000;
  assert.ok(left > 840 && left <= 901, `${left} seconds`);
  const keys = keysOf(answer);
  assert.equal((await sts(keys).getCallerIdentity({})).Arn, arn);
  await iam(keys).listUsers({ MaxItems: 1 });
  const error = await refused(iam(keys).listRoles({}), "AccessDenied", 403);
  assert.match(error.message, /because no session policy allows the iam:ListRoles action$/);
  const plain = await assume(ada, worker);
  await refused(iam(plain).listUsers({}), "AccessDenied", 403);
});

test("lists that are empty, and what newer clients ask for", async () => {
  const [ada, worker] = [await user(), await role()];
  const call = { RoleArn: worker.arn, RoleSessionName: "session" };
  // The Query protocol has a form for an empty list: its name, with no value.
  const none = await ada.sts.assumeRole({ ...call, Tags: [], PolicyArns: [], TransitiveTagKeys: [] });
  assert.equal(none.PackedPolicySize, undefined);
  const answers = [none, await ada.sts.assumeRole({ ...call, MinimumSessionTokenSize: 2000 })];
  for (const { Credentials, SessionTokenSize, SessionTokenUtilization } of answers) {
    assert.equal(SessionTokenSize, Credentials.SessionToken.length);
    assert.equal(SessionTokenUtilization, Math.ceil((100 * SessionTokenSize) / 4096));
  }
  assert.ok(answers[1].SessionTokenSize >= 2000 && answers[0].SessionTokenSize < 2000);
});

test("many calls at once on a few connections", async () => {
  const [ada, worker] = [await user(), await role()];
  const names = Array.from({ length: 50 }, (_, n) => `job-${n}`);
  const answers = await Promise.all(names.map((RoleSessionName) => ada.sts.assumeRole({ RoleArn: worker.arn, RoleSessionName })));
  assert.deepEqual(answers.map((answer) => answer.AssumedRoleUser.Arn.split("/").at(-1)), names);
  assert.equal(new Set(answers.map((answer) => answer.Credentials.AccessKeyId)).size, names.length);
});

test("chain of roles keeps transitive tags and lasts an hour at most", async () => {
  const tagged = { StringEquals: { "aws:PrincipalTag/Team": "blue" } };
  const [ada, first, second] = [await user(), await role(), await role(allow("iam:ListUsers", "*", { Condition: tagged }))];
  const Tags = [{ Key: "Team", Value: "blue" }];
  const between = { sts: sts(await assume(ada, first, { Tags, TransitiveTagKeys: ["Team"] })) };
  const last = await assume(between, second, { RoleSessionName: "second" });
  assert.match((await sts(last).getCallerIdentity({})).Arn, new RegExp(`:assumed-role/${second.name}/second$`));
  await iam(last).listUsers({ MaxItems: 1 });
  const longer = { RoleArn: second.arn, RoleSessionName: "second", DurationSeconds: 3601 };
  await refused(between.sts.assumeRole(longer), "ValidationError", 400);
});

test("provider of temporary credentials, and one upon it", async () => {
  const [ada, first, second] = [await user(), await role(), await role()];
  const params = (RoleArn, RoleSessionName) => ({ params: { RoleArn, RoleSessionName } });
  const inner = fromTemporaryCredentials({ ...params(first.arn, "inner"), masterCredentials: ada.keys });
  assert.match((await sts(inner).getCallerIdentity({})).Arn, new RegExp(`/${first.name}/inner$`));
  const outer = fromTemporaryCredentials({ ...params(second.arn, "outer"), masterCredentials: inner });
  assert.match((await sts(outer).getCallerIdentity({})).Arn, new RegExp(`/${second.name}/outer$`));
});

test("federated user", async () => {
  const ada = await user();
  const answer = await ada.sts.getFederationToken({
    Name: "jill",
    Policy: document({ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }),
    Tags: [{ Key: "Team", Value: "blue" }],
    DurationSeconds: 3600,
  });
  const arn = `arn:aws:sts::${await account()}:federated-user/jill`;
  assert.equal(answer.FederatedUser.Arn, arn);
  const keys = keysOf(answer);
  assert.equal((await sts(keys).getCallerIdentity({})).Arn, arn);
  await refused(sts(keys).getFederationToken({ Name: "jack" }), "AccessDenied", 403);
});

test("session of a user", async () => {
  const ada = await user();
  const keys = keysOf(await ada.sts.getSessionToken({ DurationSeconds: 900 }));
  assert.equal((await sts(keys).getCallerIdentity({})).Arn, ada.arn);
  await refused(iam(keys).listUsers({}), "InvalidClientTokenId", 403);
});

test("scoped credentials are less of the same session", async () => {
  const [ada, worker] = [await user(), await role()];
  const keys = await assume(ada, worker, { DurationSeconds: 900 });
  const answer = await sts(keys).getScopedCredentials({ Policy: allow("iam:ListUsers"), DurationSeconds: 600 });
  assert.equal(answer.ScopedPoliciesCount, 1);
  assert.ok(answer.Credentials.Expiration instanceof Date);
  const narrow = keysOf(answer);
  assert.equal((await sts(narrow).getCallerIdentity({})).Arn, answer.SessionInfo.Arn);
  await iam(narrow).listUsers({ MaxItems: 1 });
  await refused(iam(narrow).listRoles({}), "AccessDenied", 403);
  const longer = sts(keys).getScopedCredentials({ DurationSeconds: 901 });
  await refused(longer, InsufficientSessionLifetimeException, 400);
  const byUser = ada.sts.getScopedCredentials({ Policy: allow("*") });
  await refused(byUser, InvalidSubjectCredentialsException, 400);
});

test("revoked session is over at the next request", async () => {
  const [ada, worker] = [await user(), await role()];
  const stolen = await assume(ada, worker);
  const client = sts(stolen);
  const issued = await assume({ sts: client }, worker, { RoleSessionName: "issued" });
  await client.getCallerIdentity({});
  const { Sessions } = await daypass(ada.keys, "ListSessions", { AccessKeyId: stolen.accessKeyId });
  const { SessionId } = Sessions.find((row) => row.AccessKeyId === stolen.accessKeyId);
  await daypass(ada.keys, "RevokeSession", { SessionId });
  const error = await refused(client.getCallerIdentity({}), "ExpiredToken", 403);
  assert.match(error.message, /^The security token included in the request is expired/);
  await refused(iam(stolen).listUsers({}), "ExpiredToken", 403);
  await sts(issued).getCallerIdentity({});
  await daypass(ada.keys, "RevokeSession", { SessionId, IncludeIssued: true });
  await ended(issued);
});

test("session of a role that was deleted", async () => {
  const [ada, worker] = [await user(), await role()];
  const keys = await assume(ada, worker);
  await root.iam.deleteRolePolicy({ RoleName: worker.name, PolicyName: "rights" });
  await root.iam.deleteRole({ RoleName: worker.name });
  await refused(sts(keys).getCallerIdentity({}), "InvalidClientTokenId", 403);
});
