"""Virtual MFA devices, and what a code of one proves.

AWS sources: CreateVirtualMFADevice, EnableMFADevice, ResyncMFADevice, DeactivateMFADevice and DeleteVirtualMFADevice in
the IAM API Reference; "Secure API access with MFA" in the IAM User Guide; RFC 6238.

The server's clock is the real one, so each code is good for about a minute and counts once: tests use those of the
step before, of this one and of the next.
"""

import os
import re
import time

import pytest

from support.client import allow, deny, name, refused, seconds_from_now, trust
from support.phone import Phone, totp
from support.server import Keys

UNABLE = re.compile(
    "^MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and"
    " associated with this user. ?$"
)
WRONG = re.compile("^MultiFactorAuthentication failed with invalid MFA one time pass code. ?$")
NOT_VALID = "Authentication code for device is not valid."
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.fixture
def user(home):
    return home.user(allow("*"), prefix="mfa")


def test_these_codes_are_those_of_the_rfc():
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert [totp(seed, time // 30) for time in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


# --- devices --------------------------------------------------------------------------------------------


def test_device_is_made_enabled_listed_and_deleted(home, user):
    known = name("phone")
    made = home.iam.create_virtual_mfa_device(
        VirtualMFADeviceName=known, Path="/hands/", Tags=[{"Key": "Team", "Value": "blue"}]
    )["VirtualMFADevice"]
    serial = f"arn:aws:iam::{home.id}:mfa/hands/{known}"
    assert set(made) == {"SerialNumber", "Base32StringSeed", "QRCodePNG", "Tags"}
    assert made["SerialNumber"] == serial
    assert re.fullmatch(rb"[A-Z2-7]{64}", made["Base32StringSeed"])
    assert made["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")

    def listed(status):
        walk = home.iam.get_paginator("list_virtual_mfa_devices").paginate(AssignmentStatus=status)
        return [row for page in walk for row in page["VirtualMFADevices"] if row["SerialNumber"] == serial]

    assert listed("Unassigned") == listed("Any") == [{"SerialNumber": serial}] and not listed("Assigned")
    phone = Phone(serial, made["Base32StringSeed"].decode())
    phone.enable(home.iam, user.name)
    [device] = home.iam.list_mfa_devices(UserName=user.name)["MFADevices"]
    assert (device["UserName"], device["SerialNumber"]) == (user.name, serial)
    assert abs(seconds_from_now(device["EnableDate"])) < 60
    assert user.iam.list_mfa_devices()["MFADevices"] == [device], "without a name: the caller's"
    got = home.iam.get_mfa_device(UserName=user.name, SerialNumber=serial)
    assert {known: got[known] for known in device} == device
    [assigned] = listed("Assigned")
    assert set(assigned) == {"SerialNumber", "User", "EnableDate"} and not listed("Unassigned")
    assert set(assigned["User"]) == {"Path", "UserName", "UserId", "Arn", "CreateDate"}
    assert assigned["User"]["Arn"] == user.arn

    with refused("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", 409):
        home.iam.delete_virtual_mfa_device(SerialNumber=serial)
    home.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=serial)
    with refused("NoSuchEntity", status=404):
        home.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=serial)
    home.iam.delete_virtual_mfa_device(SerialNumber=serial)
    with refused("NoSuchEntity", f"MFA Device with serial number {serial} does not exist.", 404):
        home.iam.delete_virtual_mfa_device(SerialNumber=serial)


def test_same_name_twice(home):
    known = name("phone")
    home.iam.create_virtual_mfa_device(VirtualMFADeviceName=known)
    with refused("EntityAlreadyExists", "MFA device already exists.", 409):
        home.iam.create_virtual_mfa_device(VirtualMFADeviceName=known)


def test_wrong_pairs_do_not_enable(home, user):
    phone = Phone.made(home.iam)
    for pair in (("000000", "000000"), (phone.code(), phone.code()), (phone.code(), phone.code(-1))):
        with refused("InvalidAuthenticationCode", NOT_VALID, 403):
            home.iam.enable_mfa_device(
                UserName=user.name,
                SerialNumber=phone.serial,
                AuthenticationCode1=pair[0],
                AuthenticationCode2=pair[1],
            )
    assert home.iam.list_mfa_devices(UserName=user.name)["MFADevices"] == []


def test_resync_takes_a_newer_pair(home, user):
    phone = Phone.of(user)
    with refused("InvalidAuthenticationCode", NOT_VALID, 403):
        home.iam.resync_mfa_device(UserName=user.name, SerialNumber=phone.serial, **phone.pair(-3))
    # Twenty minutes ahead, as a phone with a wrong clock.
    home.iam.resync_mfa_device(UserName=user.name, SerialNumber=phone.serial, **phone.pair(39))
    with refused("AccessDenied", WRONG, 403):
        user.sts.get_session_token(**phone.given(0))
    user.sts.get_session_token(**phone.given(40))


def test_tags_of_a_device(home):
    phone = Phone.made(home.iam)
    home.iam.tag_mfa_device(SerialNumber=phone.serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    home.iam.untag_mfa_device(SerialNumber=phone.serial, TagKeys=["a", "missing"])
    assert home.iam.list_mfa_device_tags(SerialNumber=phone.serial)["Tags"] == [{"Key": "b", "Value": "2"}]
    condition = {"StringEquals": {"aws:ResourceTag/b": "2"}}
    keeper = home.user(allow("iam:DeleteVirtualMFADevice", phone.serial, condition))
    keeper.iam.delete_virtual_mfa_device(SerialNumber=phone.serial)


def test_user_with_a_device_cannot_be_deleted(home):
    user = home.iam.create_user(UserName=name())["User"]["UserName"]
    phone = Phone.made(home.iam)
    phone.enable(home.iam, user)
    with refused("DeleteConflict", "Cannot delete entity, must delete MFA device first.", 409):
        home.iam.delete_user(UserName=user)
    home.iam.deactivate_mfa_device(UserName=user, SerialNumber=phone.serial)
    home.iam.delete_user(UserName=user)


def test_device_of_another_account_is_none(home, other, user):
    theirs = Phone.made(other.iam)
    with refused("AccessDenied", status=403):
        home.iam.delete_virtual_mfa_device(SerialNumber=theirs.serial)
    with refused("NoSuchEntity", status=404):
        theirs.enable(home.iam, user.name)


def test_who_has_a_device_needs_mfa_to_change_its_own(house, home, user):
    phone = Phone.made(user.iam)
    phone.enable(user.iam, user.name)  # the first
    second = Phone.made(user.iam)
    for call in (
        lambda: second.enable(user.iam, user.name),
        lambda: user.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=phone.serial),
        lambda: user.iam.deactivate_mfa_device(SerialNumber=phone.serial),
        lambda: user.iam.delete_virtual_mfa_device(SerialNumber=phone.serial),
    ):
        with refused("AccessDenied", re.compile("because the user has an MFA device"), 403):
            call()
    session = house.iam(Keys.of(user.sts.get_session_token(**phone.given())["Credentials"]))
    second.enable(session, user.name)
    session.deactivate_mfa_device(SerialNumber=phone.serial)
    home.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=second.serial)  # an administrator


# --- what a code proves ---------------------------------------------------------------------------------


def test_session_token_with_a_code_has_mfa(house, home):
    user = home.user(allow("iam:ListUsers", condition=PRESENT), prefix="mfa")
    phone = Phone.of(user)
    with refused("AccessDenied"):
        user.iam.list_users()
    plain = Keys.of(user.sts.get_session_token()["Credentials"])
    with refused("InvalidClientTokenId", status=403):
        house.iam(plain).list_users()
    session = Keys.of(user.sts.get_session_token(**phone.given())["Credentials"])
    house.iam(session).list_users()
    young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}
    home.iam.put_user_policy(UserName=user.name, PolicyName="p0", PolicyDocument=allow("iam:ListUsers", condition=young))
    house.iam(session).list_users()


def test_deny_without_mfa_leaves_the_way_to_it_open(house, home):
    without = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    user = home.user(allow("*"), deny("*", condition=without), prefix="mfa")
    phone = Phone.of(user)
    with refused("AccessDenied", re.compile("explicit deny")):
        user.iam.list_users()
    house.iam(Keys.of(user.sts.get_session_token(**phone.given())["Credentials"])).list_users()


def test_code_counts_once(home, user):
    phone = Phone.of(user)
    role = home.role()
    given = phone.given()
    user.sts.get_session_token(**given)
    for call in (
        lambda: user.sts.get_session_token(**given),
        lambda: user.assume(role, **given),
    ):
        with refused("AccessDenied", WRONG, 403):
            call()
    user.assume(role, **phone.given(-1))
    with refused("AccessDenied", WRONG, 403):
        user.sts.get_session_token(SerialNumber=phone.serial, TokenCode="000000")


def test_device_is_its_own_users(home, user):
    phone = Phone.of(user)
    stranger = home.user(allow("*"))
    role = home.role(None, allow("sts:*"))
    session = home.house.sts(stranger.assume(role))
    with refused("AccessDenied", UNABLE, 403):
        stranger.sts.get_session_token(**phone.given())
    with refused("AccessDenied", UNABLE, 403):
        session.assume_role(RoleArn=role["Arn"], RoleSessionName="again", **phone.given())
    user.sts.get_session_token(**phone.given())


def test_role_that_wants_mfa(house, home, user):
    phone = Phone.of(user)
    role = home.role(trust(home.root_arn, condition=PRESENT), allow("iam:ListUsers"), prefix="mfa")
    with refused("AccessDenied", re.compile("is not authorized to perform: sts:AssumeRole on resource"), 403):
        user.assume(role)
    house.iam(user.assume(role, **phone.given())).list_users()
    session = house.sts(Keys.of(user.sts.get_session_token(**phone.given(-1))["Credentials"]))
    got = session.assume_role(RoleArn=role["Arn"], RoleSessionName="by-session")
    # What comes of it has no MFA itself.
    inside = allow("iam:ListUsers", condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    home.iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p0", PolicyDocument=inside)
    house.iam(Keys.of(got["Credentials"])).list_users()


def test_tenth_try_is_refused_whatever_it_is(user):
    phone = Phone.of(user)  # one try
    texts, asked = [], 0.0
    # Until the tries are used up, and not right before they begin anew.
    while not texts or WRONG.match(texts[-1]) or asked % 180 > 175:
        asked = time.time()
        with refused("AccessDenied", status=403) as caught:
            user.sts.get_session_token(SerialNumber=phone.serial, TokenCode="000000")
        texts.append(caught.value.response["Error"]["Message"])
    assert 8 <= sum(bool(WRONG.match(text)) for text in texts) <= 17 and UNABLE.match(texts[-1])
    with refused("AccessDenied", UNABLE, 403):
        user.sts.get_session_token(**phone.given())


# --- the AWS CLI ----------------------------------------------------------------------------------------


def test_cli_makes_a_device_and_gets_a_session(aws, home, user, tmp_path):
    def made(method, path):
        answer = aws(
            *["iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name("cli"), "--outfile", str(path)],
            *["--bootstrap-method", method],
            keys=user.keys,
        )
        return answer["VirtualMFADevice"]["SerialNumber"]

    made("QRCodePNG", tmp_path / "code.png")
    assert (tmp_path / "code.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    serial = made("Base32StringSeed", tmp_path / "seed")
    phone = Phone(serial, (tmp_path / "seed").read_text(encoding="ascii"))
    pair = phone.pair()
    aws(
        *["iam", "enable-mfa-device", "--user-name", user.name, "--serial-number", serial],
        *["--authentication-code1", pair["AuthenticationCode1"], "--authentication-code2", pair["AuthenticationCode2"]],
        keys=user.keys,
    )
    answer = aws(
        *["sts", "get-session-token", "--serial-number", serial, "--token-code", phone.code()], keys=user.keys
    )
    session = Keys.of(answer["Credentials"])
    assert aws("iam", "list-mfa-devices", keys=session)["MFADevices"][0]["SerialNumber"] == serial


def test_cli_profile_asks_for_the_code(aws, home, user, tmp_path):
    phone = Phone.of(user)
    role = home.role(trust(home.root_arn, condition=PRESENT))
    config = tmp_path / "config"
    config.write_text(
        f"[profile worker]\nrole_arn = {role['Arn']}\nmfa_serial = {phone.serial}\ncredential_source = Environment\n"
        "role_session_name = typed\n"
    )
    kept = os.environ["AWS_CONFIG_FILE"]
    os.environ["AWS_CONFIG_FILE"] = str(config)
    try:
        who = aws("--profile", "worker", "sts", "get-caller-identity", keys=user.keys, typed=phone.code() + "\n")
    finally:
        os.environ["AWS_CONFIG_FILE"] = kept
    assert who["Arn"] == f"arn:aws:sts::{home.id}:assumed-role/{role['RoleName']}/typed"
