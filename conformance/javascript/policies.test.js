// Policies as they are written, explained and tried out, and the classes of errors.
// AWS sources: SimulatePrincipalPolicy, SimulateCustomPolicy and the errors of each operation in the IAM API Reference;
// DecodeAuthorizationMessage in the STS API Reference.

"use strict";

const assert = require("node:assert/strict");
const { randomBytes } = require("node:crypto");
const test = require("node:test");
const {
  DeleteConflictException, EntityAlreadyExistsException, IAMServiceException, LimitExceededException,
  MalformedPolicyDocumentException, NoSuchEntityException, paginateListUsers, paginateSimulateCustomPolicy,
  paginateSimulatePrincipalPolicy, waitUntilRoleExists, waitUntilUserExists,
} = require("@aws-sdk/client-iam");
const {
  InvalidAuthorizationMessageException, MalformedPolicyDocumentException: MalformedSessionPolicy,
  PackedPolicyTooLargeException, STSServiceException,
} = require("@aws-sdk/client-sts");
const { allow, daypass, described, document, iam, name, refused, role, root, user } = require("./house.js");

const all = async (pages, member) => {
  const found = [];
  for await (const page of pages) found.push(...page[member]);
  return found;
};

test("denial is explained", async () => {
  const statements = [
    { Sid: "Reads", Effect: "Allow", Action: ["s3:GetObject", "sts:DecodeAuthorizationMessage"], Resource: "*" },
    { Sid: "NoSecrets", Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::shelf/secret/*" },
  ];
  const ada = await user(document(...statements));
  const keeper = await user(allow("daypass:*"));
  const asked = await daypass(keeper.keys, "CheckRequest", {
    Request: await described(ada.keys, "https://shelf.example.test/secret/a"),
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::shelf/secret/a",
  });
  assert.equal(asked.Decision, "ExplicitlyDenied");
  const { DecodedMessage } = await ada.sts.decodeAuthorizationMessage({ EncodedMessage: asked.EncodedAuthorizationMessage });
  const told = JSON.parse(DecodedMessage);
  assert.deepEqual([told.allowed, told.explicitDeny], [false, true]);
  assert.deepEqual(told.matchedStatements.items.map((item) => item.statementId), ["NoSecrets"]);
  assert.equal(told.context.principal.arn, ada.arn);
  assert.deepEqual([told.context.action, told.context.resource], ["s3:GetObject", "arn:aws:s3:::shelf/secret/a"]);
  // A member of our own: what each statement said, and the request to ask about.
  const { requestId: RequestId, statements: said } = told.daypass;
  assert.deepEqual(said.map((one) => [one.sid, one.matched]), [["NoSecrets", true], ["Reads", true]]);
  const { Decisions } = await daypass(keeper.keys, "ExplainRequest", { RequestId });
  assert.deepEqual(Decisions.map((decision) => decision.Action), ["daypass:CheckRequest", "s3:GetObject"]);
});

test("message that is none", async () => {
  const ada = await user();
  const call = ada.sts.decodeAuthorizationMessage({ EncodedMessage: "bm9uZQ" });
  await refused(call, InvalidAuthorizationMessageException, 400);
});

test("simulated principal, page by page", async () => {
  const ada = await user(allow(["s3:GetObject", "s3:ListBucket"]));
  const actions = ["GetObject", "PutObject", "ListBucket", "DeleteObject", "GetBucketAcl"].map((action) => `s3:${action}`);
  const pages = paginateSimulatePrincipalPolicy(
    { client: root.iam, pageSize: 2 },
    { PolicySourceArn: ada.arn, ActionNames: actions },
  );
  const results = await all(pages, "EvaluationResults");
  assert.deepEqual(
    results.map((result) => [result.EvalActionName, result.EvalDecision]),
    actions.map((action) => [action, /GetObject|ListBucket/.test(action) ? "allowed" : "implicitDeny"]),
  );
  const [{ SourcePolicyId, StartPosition, EndPosition }] = results[0].MatchedStatements;
  assert.ok(SourcePolicyId && StartPosition.Line >= 1 && EndPosition.Column > StartPosition.Column);
});

test("simulated policy with a context", async () => {
  const condition = { Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" }, StringEquals: { "s3:prefix": "a/" } } };
  const PolicyInputList = [allow("s3:ListBucket", "arn:aws:s3:::shelf", condition)];
  const what = { PolicyInputList, ActionNames: ["s3:ListBucket"], ResourceArns: ["arn:aws:s3:::shelf", "arn:aws:s3:::other"] };
  const { ContextKeyNames } = await root.iam.getContextKeysForCustomPolicy({ PolicyInputList });
  assert.deepEqual([...ContextKeyNames].sort(), ["aws:SourceIp", "s3:prefix"]);
  const entries = [
    { ContextKeyName: "aws:SourceIp", ContextKeyType: "ip", ContextKeyValues: ["192.0.2.7"] },
    { ContextKeyName: "s3:prefix", ContextKeyType: "string", ContextKeyValues: ["a/"] },
  ];
  const told = await root.iam.simulateCustomPolicy({ ...what, ContextEntries: entries });
  const specific = told.EvaluationResults[0].ResourceSpecificResults;
  assert.deepEqual(
    specific.map((result) => [result.EvalResourceName, result.EvalResourceDecision]),
    [["arn:aws:s3:::shelf", "allowed"], ["arn:aws:s3:::other", "implicitDeny"]],
  );
  const pages = paginateSimulateCustomPolicy({ client: root.iam }, { ...what, ContextEntries: entries.slice(0, 1) });
  const [without] = await all(pages, "EvaluationResults");
  assert.equal(without.EvalDecision, "implicitDeny");
  assert.deepEqual(without.MissingContextValues, ["s3:prefix"]);
});

test("classes of errors of IAM", async () => {
  const ada = await user();
  const UserName = ada.name;
  const error = await refused(root.iam.getUser({ UserName: name("nobody") }), NoSuchEntityException, 404);
  assert.match(error.message, /^The user with name nobody-\w+ cannot be found\.$/);
  assert.ok(error instanceof IAMServiceException && error.$fault === "client");
  await refused(root.iam.createUser({ UserName }), EntityAlreadyExistsException, 409);
  await refused(root.iam.deleteUser({ UserName }), DeleteConflictException, 409);
  const put = (PolicyDocument) => root.iam.putUserPolicy({ UserName, PolicyName: "p", PolicyDocument });
  await refused(put("{}"), MalformedPolicyDocumentException, 400);
  await root.iam.createAccessKey({ UserName });
  await refused(root.iam.createAccessKey({ UserName }), LimitExceededException, 409);
});

test("classes of errors of STS", async () => {
  const [ada, worker] = [await user(), await role()];
  const assumed = (more) => ada.sts.assumeRole({ RoleArn: worker.arn, RoleSessionName: "session", ...more });
  const error = await refused(assumed({ Policy: "{" }), MalformedSessionPolicy, 400);
  assert.ok(error instanceof STSServiceException && error.message);
  // Tags that say something else each do not pack.
  const Tags = Array.from({ length: 50 }, (_, n) => ({ Key: `tag-${n}`, Value: randomBytes(128).toString("hex") }));
  await refused(assumed({ Tags }), PackedPolicyTooLargeException, 400);
  await refused(assumed({ RoleSessionName: "a b" }), "ValidationError", 400);
});

test("lists by pages, and waiters", async () => {
  const PathPrefix = `/${name("pages")}/`;
  const names = [];
  for (let n = 0; n < 5; n += 1) {
    const { User } = await root.iam.createUser({ UserName: name("page"), Path: PathPrefix });
    names.push(User.UserName);
  }
  const found = await all(paginateListUsers({ client: root.iam, pageSize: 2 }, { PathPrefix }), "Users");
  assert.deepEqual(found.map((user) => user.UserName), [...names].sort());
  const waiting = { client: root.iam, maxWaitTime: 5, minDelay: 1, maxDelay: 1 };
  assert.equal((await waitUntilUserExists(waiting, { UserName: names[0] })).state, "SUCCESS");
  const worker = await role();
  assert.equal((await waitUntilRoleExists(waiting, { RoleName: worker.name })).state, "SUCCESS");
});

test("policy comes back as it was written", async () => {
  const ada = await user();
  const odd = "arn:aws:s3:::b/ü+ %20&<>";
  const text = `{ "Version": "2012-10-17",\n  "Statement": { "Effect": "Allow", "Action": "s3:*", "Resource": "${odd}" } }`;
  await root.iam.putUserPolicy({ UserName: ada.name, PolicyName: "written", PolicyDocument: text });
  const { PolicyDocument } = await iam(ada.keys).getUserPolicy({ UserName: ada.name, PolicyName: "written" });
  assert.equal(decodeURIComponent(PolicyDocument), text);
});
