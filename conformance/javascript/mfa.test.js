// A virtual MFA device and what a code of it proves.
// AWS sources: "Secure API access with MFA" in the IAM User Guide; RFC 6238.

"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");
const { fromTemporaryCredentials } = require("@aws-sdk/credential-providers");
const { InvalidAuthenticationCodeException, NoSuchEntityException } = require("@aws-sdk/client-iam");
const { account, allow, iam, keysOf, name, phone, refused, role, root, sts, totp, trust, user } = require("./house.js");

const PRESENT = { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } };
const WRONG = /^MultiFactorAuthentication failed with invalid MFA one time pass code\. ?$/;

test("these codes are those of the RFC", () => {
  const codes = [59, 1111111109, 20000000000].map((time) => totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Math.floor(time / 30)));
  assert.deepEqual(codes, ["287082", "081804", "353130"]);
});

test("session of a user by a code, which counts once", async () => {
  const ada = await user(allow(["sts:*", "iam:ListUsers"], "*", PRESENT));
  const device = await phone(ada);
  await refused(ada.iam.listUsers({}), "AccessDenied", 403);
  const given = { SerialNumber: device.serial, TokenCode: device.code() };
  const keys = keysOf(await ada.sts.getSessionToken(given));
  assert.equal((await sts(keys).getCallerIdentity({})).Arn, ada.arn);
  await iam(keys).listUsers({ MaxItems: 1 });
  const error = await refused(ada.sts.getSessionToken(given), "AccessDenied", 403);
  assert.match(error.message, WRONG);
});

test("provider asks for the code of a role that wants one", async () => {
  const [ada, worker] = [await user(), await role(allow("*"), trust(await account(), "sts:AssumeRole", PRESENT))];
  const device = await phone(ada);
  const params = { RoleArn: worker.arn, RoleSessionName: "typed" };
  const without = fromTemporaryCredentials({ params, masterCredentials: ada.keys });
  await refused(sts(without).getCallerIdentity({}), "AccessDenied", 403);
  const asked = [];
  const mfaCodeProvider = async (serial) => {
    asked.push(serial);
    return device.code();
  };
  const provider = fromTemporaryCredentials({
    params: { ...params, SerialNumber: device.serial },
    masterCredentials: ada.keys,
    mfaCodeProvider,
  });
  const client = sts(provider);
  for (let call = 0; call < 2; call += 1) {
    assert.match((await client.getCallerIdentity({})).Arn, new RegExp(`/${worker.name}/typed$`));
  }
  assert.deepEqual(asked, [device.serial], "asked once for both calls");
});

test("device is listed, and gone when it is deleted", async () => {
  const ada = await user();
  const device = await phone(ada);
  const { MFADevices } = await ada.iam.listMFADevices({});
  assert.deepEqual(MFADevices.map((row) => [row.UserName, row.SerialNumber]), [[ada.name, device.serial]]);
  assert.ok(MFADevices[0].EnableDate instanceof Date);
  await root.iam.deactivateMFADevice({ UserName: ada.name, SerialNumber: device.serial });
  await root.iam.deleteVirtualMFADevice({ SerialNumber: device.serial });
  const again = root.iam.deleteVirtualMFADevice({ SerialNumber: device.serial });
  await refused(again, NoSuchEntityException, 404);
});

test("wrong codes enable nothing", async () => {
  const ada = await user();
  const { VirtualMFADevice } = await root.iam.createVirtualMFADevice({ VirtualMFADeviceName: name("phone") });
  assert.deepEqual([...VirtualMFADevice.QRCodePNG.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  const given = { AuthenticationCode1: "000000", AuthenticationCode2: "000000" };
  const { SerialNumber } = VirtualMFADevice;
  const call = root.iam.enableMFADevice({ UserName: ada.name, SerialNumber, ...given });
  await refused(call, InvalidAuthenticationCodeException, 403);
});
