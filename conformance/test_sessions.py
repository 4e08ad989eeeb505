"""Sessions: narrowed, listed, traced, and ended before their time.

AWS source: GetScopedCredentials in the STS API Reference. The rest is daypass's own API (api/daypass).
"""

import datetime
import json
import re
import subprocess

import pytest

from support.client import ALLOW_ALL, Account, House, allow, name, refused, trust
from support.moved_clock import MovedClock
from support.server import Keys, Server, binary
from support.signing import Request, now

EVERYTHING = json.dumps(ALLOW_ALL)


@pytest.fixture(scope="module")
def role(home):
    """A role that its account may assume, and that may do everything."""
    return home.role(trust(home.root_arn, ["sts:AssumeRole", "sts:SetSourceIdentity"]), EVERYTHING, prefix="watch")


def assume(who, role, session="watch", **more):
    return Keys.of(who.sts.assume_role(RoleArn=role["Arn"], RoleSessionName=session, **more)["Credentials"])


def scope(house, keys, **parameters):
    return house.sts(keys).get_scoped_credentials(**parameters)


def session_of(home, keys):
    """What is known of the session with these keys."""
    (found,) = [row for row in home.daypass.list_sessions(AccessKeyId=keys.id)["Sessions"] if row["AccessKeyId"] == keys.id]
    return found


def lives(house, keys):
    try:
        house.sts(keys).get_caller_identity()
    except house.sts(keys).exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ExpiredToken"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return False
    return True


# --- GetScopedCredentials -------------------------------------------------------------------------------


def test_scoped_credentials_are_less_of_the_same_session(house, home, admin, role):
    calling = assume(admin, role, SourceIdentity="ada")
    answer = scope(house, calling, Policy=allow("iam:ListUsers"), DurationSeconds=600, ScopedSessionDescription="a job")
    who = house.sts(calling).get_caller_identity()
    assert answer["SessionInfo"] == {"ScopedSessionId": who["UserId"], "Arn": who["Arn"]}
    assert (answer["ScopedPoliciesCount"], answer["SourceIdentity"]) == (1, "ada")
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])
    left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 540 < left.total_seconds() <= 601
    narrow = Keys.of(answer["Credentials"])
    assert house.sts(narrow).get_caller_identity()["Arn"] == who["Arn"]
    house.iam(narrow).list_users(MaxItems=1)
    with refused("AccessDenied", re.compile("because no session policy allows the iam:ListRoles action")):
        house.iam(narrow).list_roles()


def test_layers_of_scoped_credentials_intersect_and_are_three_at_most(house, admin, role):
    keys = assume(admin, role)
    for count in (1, 2, 3):
        answer = scope(house, keys, Policy=EVERYTHING)
        assert answer["ScopedPoliciesCount"] == count
        keys = Keys.of(answer["Credentials"])
    with refused("AccessDenied", status=403):
        scope(house, keys, Policy=EVERYTHING)
    assert scope(house, keys, DurationSeconds=1)["ScopedPoliciesCount"] == 3


def test_scoped_credentials_never_outlive_the_session(house, admin, role):
    keys = assume(admin, role, DurationSeconds=900)
    with refused("InsufficientSessionLifetime", status=400):
        scope(house, keys, DurationSeconds=901)


def test_long_term_keys_are_not_scoped(house, home, admin):
    for keys in (home.keys, admin.keys):
        with refused("InvalidSubjectCredentials", status=400):
            scope(house, keys, Policy=EVERYTHING)
    with refused("AccessDenied", re.compile(r"sts:GetScopedCredentials on resource: arn:aws:sts::\d+:self")):
        scope(house, home.federated("Jill", allow("s3:*")), Policy=EVERYTHING)


# --- revocation -----------------------------------------------------------------------------------------


def test_revoked_session_is_over_at_the_next_request(house, home, admin, role):
    stolen, other = assume(admin, role), assume(admin, role)
    child = Keys.of(house.sts(stolen).assume_role(RoleArn=role["Arn"], RoleSessionName="child")["Credentials"])
    known = session_of(home, stolen)
    assert (known["Status"], known["Type"], known["SessionName"]) == ("Live", "AssumedRole", "watch")
    assert known["RequestedBy"] == {"AccountId": home.id, "Arn": admin.arn, "AccessKeyId": admin.keys.id}
    home.daypass.revoke_session(SessionId=known["SessionId"])
    assert not lives(house, stolen) and lives(house, other) and lives(house, child)
    home.daypass.revoke_session(SessionId=known["SessionId"], IncludeIssued=True)
    assert not lives(house, child) and lives(house, other)
    chain = home.daypass.get_session_chain(SessionId=known["SessionId"])
    assert chain["Origin"]["Arn"] == admin.arn
    assert [(row["SessionName"], row["Status"]) for row in chain["Issued"]] == [("child", "Revoked")]


def test_sessions_of_a_principal_end_at_once(house, home, admin):
    mine = home.role(trust(home.root_arn), EVERYTHING, prefix="ended")
    sessions = [assume(admin, mine, f"s{n}") for n in range(3)]
    narrow = Keys.of(scope(house, sessions[0], DurationSeconds=60)["Credentials"])
    long_ago = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    home.daypass.revoke_session(PrincipalArn=mine["Arn"], IssuedBefore=long_ago)
    assert lives(house, sessions[0])
    home.daypass.revoke_session(PrincipalArn=mine["Arn"])
    assert not any(lives(house, keys) for keys in (*sessions, narrow))
    rows = home.daypass.list_sessions(PrincipalArn=mine["Arn"], IncludeEnded=True)["Sessions"]
    assert len(rows) == 4 and {row["Status"] for row in rows} == {"Revoked"}
    assert home.daypass.list_sessions(PrincipalArn=mine["Arn"])["Sessions"] == []


def test_revoking_needs_permission_and_stays_in_the_account(home, other, admin, role):
    known = session_of(home, assume(admin, role))
    with refused("AccessDenied", re.compile(f"daypass:RevokeSession on resource: arn:aws:daypass::{home.id}:session/")):
        home.house.daypass(home.user().keys).revoke_session(SessionId=known["SessionId"])
    for call in (other.daypass.revoke_session, other.daypass.get_session_chain):
        with refused("NoSuchEntity", status=404):
            call(SessionId=known["SessionId"])
    with refused("NoSuchEntity", status=404):
        other.daypass.revoke_session(PrincipalArn=role["Arn"])
    assert known["SessionId"] not in [row["SessionId"] for row in other.daypass.list_sessions()["Sessions"]]


def test_boto3_pages_through_sessions(home, admin, role):
    wanted = {name("paged") for _ in range(5)}
    for session in wanted:
        assume(admin, role, session)
    walk = home.daypass.get_paginator("list_sessions").paginate(NamePrefix="paged", PaginationConfig={"PageSize": 2})
    pages = [[row["SessionName"] for row in page["Sessions"]] for page in walk]
    assert all(len(page) <= 2 for page in pages)
    found = [known for page in pages for known in page]
    assert len(found) == len(set(found)) == 5 and set(found) == wanted


def later(server, clock, keys, role, seconds=3600):
    """A session of a role, asked for by whoever has these keys at the time of a clock that a test has moved."""
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "later", "DurationSeconds": str(seconds)}
    answer = Request.action(server.host, "AssumeRole", **asked).sign(keys, time=now(seconds=clock.seconds)).send()
    assert answer.status == 200, answer.text
    return Keys(*(re.search(f"<{tag}>([^<]+)<", answer.text)[1] for tag in ("AccessKeyId", "SecretAccessKey", "SessionToken")))


def lives_later(server, clock, keys):
    return Request.action(server.host, "GetCallerIdentity").sign(keys, time=now(seconds=clock.seconds)).send().status == 200


def test_the_command_says_what_a_session_that_is_over_has_left_and_how_to_end_it(environment, tmp_path):
    clock = MovedClock(tmp_path)
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", environment=clock.environment)
    home = Account(House(server), server.root_keys())
    admin, crew = home.user(EVERYTHING), home.role(trust(home.root_arn), EVERYTHING, prefix="crew")
    # A name that somebody chose for whoever pastes it.
    path = "/x;touch${IFS}pasted;`id`/"
    porter = home.iam.create_role(RoleName=name("porter"), Path=path, AssumeRolePolicyDocument=trust(home.root_arn))["Role"]
    home.iam.put_role_policy(RoleName=porter["RoleName"], PolicyName="p", PolicyDocument=EVERYTHING)
    first = Keys.of(admin.sts.get_session_token()["Credentials"])
    stolen, alone = later(server, clock, first, porter, 900), later(server, clock, first, porter, 900)
    ids = [session_of(home, keys)["SessionId"] for keys in (stolen, alone)]
    thief, child = later(server, clock, stolen, crew), later(server, clock, alone, crew)
    clock.advance(1000)
    for _ in range(14):
        thief = later(server, clock, thief, crew)

    def revoke(*arguments):
        command = [binary(), "sessions", "revoke", "--data", str(server.data), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    # The chain is short, and names it still; the long one may have come of it, too, since it is of the same principal.
    revoke("--session-id", ids[1], "--include-issued")
    assert not lives_later(server, clock, child) and lives_later(server, clock, thief)
    ended, again, *lines = revoke("--session-id", ids[0], "--include-issued")
    assert ended.startswith("ended: session ") and again.startswith("look again: it was over by itself"), again
    assert lives_later(server, clock, thief) and len(lines) == 1, lines
    command, *words = lines[0].split()
    assert (command, words[:3]) == ("daypass", ["sessions", "revoke", "--session-id"]) and porter["RoleName"] in again
    assert re.fullmatch(r" *daypass sessions revoke --session-id [0-9a-f]{32} --include-issued", lines[0])
    assert len(revoke(*words[2:])) == 1
    assert not lives_later(server, clock, thief)
    assert len(revoke("--session-id", ids[0], "--include-issued")) == 1, "nothing is left"
    assert "the session log does not know it" in revoke("--session-id", ids[0][:-4] + "0000", "--include-issued")[1]
    assert server.stop() == 0
