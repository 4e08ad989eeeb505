"""Who signed this? GetCallerIdentity for everybody, and AWS's code for every way to be nobody.

AWS sources: "GetCallerIdentity" in the STS API Reference; "Create a signed AWS API request" and
"Troubleshoot Signature Version 4" in the IAM User Guide.
"""

import re

import pytest

from support.client import allow, account_in, deny, name, policy, refused, statement, trust
from support.server import Keys
from support.signing import Request, now, stamp

INVALID_TOKEN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def identity(house, keys):
    answer = house.sts(keys).get_caller_identity()
    return answer["Arn"], answer["UserId"], answer["Account"]


def request(server, keys, **sign):
    return Request.action(server.host, "GetCallerIdentity").sign(keys, **sign)


@pytest.fixture(scope="module")
def session(home, admin):
    """Keys of a role session that may do everything."""
    return admin.assume(home.role(None, allow("*")))


# --- who it is ------------------------------------------------------------------------------------------


def test_root_is_the_account(house, home):
    assert identity(house, home.keys) == (f"arn:aws:iam::{home.id}:root", home.id, home.id)


def test_user_has_its_path_in_the_arn_and_its_unique_id(house, home):
    user = home.user(path="/team/blue/")
    arn, user_id, account = identity(house, user.keys)
    assert arn == f"arn:aws:iam::{home.id}:user/team/blue/{user.name}"
    assert (user_id, account) == (user.id, home.id)
    assert re.fullmatch(r"AIDA[A-Z0-9]{17}", user_id)


def test_session_of_a_user_is_the_user(house, home):
    user = home.user()
    keys = Keys.of(user.sts.get_session_token()["Credentials"])
    assert identity(house, keys) == (user.arn, user.id, home.id)


def test_session_of_root_is_root(house, home):
    keys = Keys.of(home.sts.get_session_token()["Credentials"])
    assert identity(house, keys) == (home.root_arn, home.id, home.id)


def test_role_session_has_role_and_session_name_but_no_path(house, home, admin):
    role = home.role(Path="/deep/er/")
    keys = admin.assume(role, "Morning@Shift")
    arn, user_id, account = identity(house, keys)
    assert arn == f"arn:aws:sts::{home.id}:assumed-role/{role['RoleName']}/Morning@Shift"
    assert (user_id, account) == (f"{role['RoleId']}:Morning@Shift", home.id)
    assert re.fullmatch(r"AROA[A-Z0-9]{17}", role["RoleId"])


def test_federated_user_is_named_after_the_account(house, home, admin):
    keys = home.federated("Jill", by=admin)
    assert identity(house, keys) == (f"arn:aws:sts::{home.id}:federated-user/Jill", f"{home.id}:Jill", home.id)


def test_explicit_deny_does_not_stop_get_caller_identity(house, home):
    user = home.user(deny("*"))
    assert identity(house, user.keys)[0] == user.arn


def test_second_account_is_another_account(house, home, other):
    assert other.id != home.id
    assert identity(house, other.keys)[0] == other.root_arn


def test_access_key_ids_carry_their_account(home, admin, session):
    assert account_in(admin.keys.id) == home.id
    assert account_in(session.id) == home.id
    assert admin.keys.id.startswith("AKIA") and session.id.startswith("ASIA")


# --- how it is told -------------------------------------------------------------------------------------


def test_answer_is_query_xml_with_the_request_id_in_header_and_body(server, home):
    answer = request(server, home.keys).send()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.tree().tag == "{https://sts.amazonaws.com/doc/2011-06-15/}GetCallerIdentityResponse"
    assert UUID.fullmatch(answer.find("RequestId"))
    assert answer.headers["x-amzn-requestid"] == answer.find("RequestId")
    assert answer.headers["date"]
    result = answer.tree()[0]
    assert [element.tag.rpartition("}")[2] for element in result] == ["Arn", "UserId", "Account"]


def test_json_is_given_to_who_accepts_it(server, home):
    asked = Request.action(server.host, "GetCallerIdentity", method="GET", headers=[("Accept", "application/json")])
    answer = asked.sign(home.keys).send()
    assert answer.status == 200
    result = answer.json()["GetCallerIdentityResponse"]
    assert result["GetCallerIdentityResult"] == {"Arn": home.root_arn, "UserId": home.id, "Account": home.id}
    assert UUID.fullmatch(result["ResponseMetadata"]["RequestId"])


def test_json_errors_have_code_message_and_type(server):
    answer = Request.action(server.host, "GetCallerIdentity", headers=[("Accept", "application/json")]).send()
    error = answer.json()
    assert answer.status == 403
    assert error["Error"] == {
        "Code": "MissingAuthenticationToken",
        "Message": "Request is missing Authentication Token",
        "Type": "Sender",
    }
    assert UUID.fullmatch(error["RequestId"])


def test_xml_errors_have_the_request_id_beside_the_error(server):
    answer = Request.action(server.host, "GetCallerIdentity").send()
    assert answer.tree().tag == "{https://sts.amazonaws.com/doc/2011-06-15/}ErrorResponse"
    assert [element.tag.rpartition("}")[2] for element in answer.tree()] == ["Error", "RequestId"]
    assert answer.find("Type") == "Sender"


def test_get_and_post_give_the_same(server, home):
    asked = Request.action(server.host, "GetCallerIdentity", method="GET").sign(home.keys)
    assert asked.send().find("Arn") == home.root_arn


def test_iam_answers_in_its_own_namespace(server, home):
    answer = Request.action(server.host, "ListUsers", "iam").sign(home.keys, service="iam").send()
    assert answer.tree().tag == "{https://iam.amazonaws.com/doc/2010-05-08/}ListUsersResponse"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "me-central-1", "nowhere-7"])
@pytest.mark.parametrize("service,action", [("sts", "GetCallerIdentity"), ("iam", "ListUsers")])
def test_any_region_of_the_client_is_fine(server, home, region, service, action):
    assert Request.action(server.host, action, service).sign(home.keys, service, region).send().status == 200


# --- keys nobody has ------------------------------------------------------------------------------------


def test_wrong_secret(house, home):
    with refused("SignatureDoesNotMatch", re.compile(re.escape(MISMATCH)), 403):
        house.sts(home.keys.but(secret="x" * 40)).get_caller_identity()


@pytest.mark.parametrize("wrong", ["AKIAIOSFODNN7EXAMPLE", "AKIA2222222222222222", "ASIA2222222222222222", "x", "AKIA"])
def test_unknown_access_key(house, home, wrong):
    with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
        house.sts(home.keys.but(id=wrong)).get_caller_identity()


def test_inactive_key_until_it_is_active_again(house, home):
    user = home.user()
    for status in ("Inactive", "Active"):
        home.iam.update_access_key(UserName=user.name, AccessKeyId=user.keys.id, Status=status)
        if status == "Active":
            assert identity(house, user.keys)[0] == user.arn
        else:
            with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
                user.sts.get_caller_identity()


def test_deleted_key(home):
    user = home.user()
    home.iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys.id)
    with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
        user.sts.get_caller_identity()


@pytest.mark.parametrize("headers", [[], [("X-Amz-Date", stamp(now()))], [("User-Agent", "x")]])
def test_no_credentials_at_all(server, headers):
    answer = Request.action(server.host, "GetCallerIdentity", headers=headers).send()
    assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")
    assert answer.message == "Request is missing Authentication Token"


def test_half_a_credential_is_a_failure_not_a_stranger(server):
    asked = Request.action(server.host, "GetCallerIdentity", headers=[("Authorization", "AWS4-HMAC-SHA256 ")]).send()
    assert (asked.status, asked.code) == (400, "IncompleteSignature")


# --- session tokens -------------------------------------------------------------------------------------


def garbled(token, place):
    other = "A" if token[place] != "A" else "B"
    return token[:place] + other + token[place + 1 :]


def wrong_tokens(token):
    yield "missing", None
    yield "garbage", "garbage"
    yield "empty base64", "AAAA"
    yield "padded", token + "A"
    yield "twice", token + token
    yield "halved", token[: len(token) // 2]
    yield "reversed", token[::-1]
    yield "not ascii text", "%00" * 8
    for place in sorted({0, 1, 2, 5, 9, 17, len(token) // 3, len(token) // 2, len(token) - 6, len(token) - 2}):
        yield f"changed at {place}", garbled(token, place)
    for length in (1, 4, 16, 64, len(token) - 4, len(token) - 1):
        yield f"cut to {length}", token[:length]


def test_no_wrong_token_opens_anything(house, session):
    for what, token in wrong_tokens(session.token):
        with refused("InvalidClientTokenId", INVALID_TOKEN, 403) as caught:
            house.sts(session.but(token=token)).get_caller_identity()
        assert caught, what


def test_token_of_another_session_does_not_fit(home, house, admin, session):
    second = admin.assume(home.role())
    for keys in (session.but(token=second.token), second.but(token=session.token)):
        with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
            house.sts(keys).get_caller_identity()


def test_token_with_a_long_term_key(house, home, session):
    with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
        house.sts(home.keys.but(token=session.token)).get_caller_identity()


def test_token_of_another_accounts_session_does_not_fit(house, home, other, session):
    foreign = Keys.of(other.sts.get_session_token()["Credentials"])
    with refused("InvalidClientTokenId", INVALID_TOKEN, 403):
        house.sts(session.but(token=foreign.token)).get_caller_identity()


def test_token_may_come_outside_the_signature(server, session):
    asked = request(server, session, unsigned=["x-amz-security-token"])
    assert "x-amz-security-token" not in asked.header("Authorization")
    assert asked.send().status == 200


def test_presigned_token_may_be_added_after_signing(server, session):
    asked = Request.action(server.host, "GetCallerIdentity", method="GET").presign(session.but(token=None))
    asked.query += "&X-Amz-Security-Token=" + "".join(f"%{byte:02X}" for byte in session.token.encode())
    assert asked.send().status == 200


def test_session_dies_with_its_user(home, house):
    user = home.user()
    keys = Keys.of(user.sts.get_session_token()["Credentials"])
    home.iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys.id)
    assert identity(house, keys)[0] == user.arn
    home.iam.delete_user(UserName=user.name)
    home.iam.create_user(UserName=user.name)
    with refused("InvalidClientTokenId", "The security token included in the request is invalid.", status=403):
        house.sts(keys).get_caller_identity()


# --- time, scope, signature -----------------------------------------------------------------------------


def test_fourteen_minutes_either_way_are_fine(server, home):
    assert request(server, home.keys, time=now(minutes=-14)).send().status == 200
    assert request(server, home.keys, time=now(minutes=14)).send().status == 200


def test_clock_behind(server, home):
    time = now(minutes=-16)
    answer = request(server, home.keys, time=time).send()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    moment = r"\d{8}T\d{6}Z"
    pattern = rf"Signature expired: {stamp(time)} is now earlier than {moment} \({moment} - 15 min\.\)"
    assert re.fullmatch(pattern, answer.message), answer.message


def test_clock_ahead(server, home):
    time = now(minutes=16)
    answer = request(server, home.keys, time=time).send()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    moment = r"\d{8}T\d{6}Z"
    pattern = rf"Signature not yet current: {stamp(time)} is still later than {moment} \({moment} \+ 15 min\.\)"
    assert re.fullmatch(pattern, answer.message), answer.message


@pytest.mark.parametrize("service,action", [("sts", "GetCallerIdentity"), ("iam", "ListUsers")])
def test_presigned_request_lives_fifteen_minutes_and_only_of_sts_whatever_it_asks_for(server, home, service, action):
    def presigned(age, expires):
        asked = Request.action(server.host, action, service, method="GET")
        return asked.presign(home.keys, service, time=now(minutes=-age), expires=expires).send()

    assert presigned(0, 60).status == 200
    assert presigned(14, 60).status == (200 if service == "sts" else 403)
    assert presigned(14, 604800).status == 200
    expired = presigned(16, 604800)
    assert (expired.status, expired.code) == (403, "SignatureDoesNotMatch")
    assert re.fullmatch(r"Signature expired: .* - 15 min\.\)", expired.message), expired.message


def test_presigned_request_with_a_body_is_another_request(server, home):
    asked = Request.action(server.host, "GetCallerIdentity", method="GET").presign(home.keys)
    asked.body = b"Action=ListUsers"
    assert asked.send().code == "SignatureDoesNotMatch"


def scope(**changes):
    whole = {"date": stamp(now())[:8], "region": "us-east-1", "service": "sts", "end": "aws4_request", **changes}
    return tuple(whole.values())


@pytest.mark.parametrize(
    "changes,text",
    [
        ({"service": "iam"}, "Credential should be scoped to correct service: 'sts'. "),
        ({"service": "s3"}, "Credential should be scoped to correct service: 'sts'. "),
        ({"end": "aws4"}, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'."),
    ],
)
def test_scope_of_something_else(server, home, changes, text):
    answer = request(server, home.keys, scope=scope(**changes)).send()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert answer.message == text


def test_scope_of_another_day(server, home):
    answer = request(server, home.keys, scope=scope(date="20200101")).send()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert answer.message.startswith(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101' != '"
    )


def test_body_changed_on_the_way(server, admin):
    asked = Request.action(server.host, "CreateUser", "iam", UserName="Mallory").sign(admin.keys, "iam")
    asked.body = asked.body.replace(b"Mallory", b"Malorey")
    answer = asked.send()
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert answer.message.startswith(MISMATCH)


def test_signed_header_changed_on_the_way(server, home):
    asked = request(server, home.keys).replace("Content-Type", "application/x-www-form-urlencoded")
    assert asked.send().code == "SignatureDoesNotMatch"


PAYLOADS = [
    "UNSIGNED-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "0" * 64,
    "anything",
]


@pytest.mark.parametrize("value", PAYLOADS)
def test_payload_is_always_signed(server, home, value):
    asked = Request.action(server.host, "GetCallerIdentity", headers=[("X-Amz-Content-Sha256", value)])
    assert asked.sign(home.keys, payload=value).send().code == "SignatureDoesNotMatch"


def test_unsigned_amz_header_is_refused(server, home):
    asked = request(server, home.keys)
    asked.headers.append(("X-Amz-Meddled", "yes"))
    assert asked.send().code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name_of_header", ["Authorization", "X-Amz-Date", "Host"])
def test_security_headers_come_once(server, home, name_of_header):
    asked = request(server, home.keys)
    asked.headers.append((name_of_header, asked.header(name_of_header)))
    answer = asked.send()
    assert (answer.status, answer.code) == (400, "IncompleteSignature")


def test_credentials_in_two_places_are_refused(server, home):
    asked = Request.action(server.host, "GetCallerIdentity", method="GET").presign(home.keys).sign(home.keys)
    answer = asked.send()
    assert (answer.status, answer.code) == (400, "IncompleteSignature")


@pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
def test_incomplete_authorization_header(server, home, part):
    asked = request(server, home.keys)
    kept = re.sub(rf"{part}=[^,]*(, )?", "", asked.header("Authorization")).rstrip(", ")
    answer = asked.replace("Authorization", kept).send()
    assert (answer.status, answer.code) == (400, "IncompleteSignature")
    assert f"Authorization header requires '{part}' parameter." in answer.message


def test_authorization_without_a_date(server, home):
    answer = request(server, home.keys).without("X-Amz-Date").send()
    assert (answer.status, answer.code) == (400, "IncompleteSignature")
    assert "existence of either a 'X-Amz-Date' or a 'Date' header" in answer.message


# --- operations and parameters --------------------------------------------------------------------------


@pytest.mark.parametrize("service,version", [("sts", "2011-06-15"), ("iam", "2010-05-08")])
def test_unknown_action_and_version(server, home, service, version):
    unknown = Request.action(server.host, "MakeCoffee", service).sign(home.keys, service).send()
    assert (unknown.status, unknown.code) == (400, "InvalidAction")
    assert unknown.message == f"Could not find operation MakeCoffee for version {version}"
    asked = Request.action(server.host, "GetCallerIdentity", service)
    asked.body = asked.body.replace(version.encode(), b"1999-01-01")
    wrong = asked.sign(home.keys, service).send()
    assert (wrong.status, wrong.code) == (400, "InvalidAction")


def test_action_of_the_other_service_is_unknown(server, home):
    asked = Request.action(server.host, "ListUsers", "sts").sign(home.keys, "sts").send()
    assert (asked.status, asked.code) == (400, "InvalidAction")


def test_parameter_given_twice(server, home):
    asked = Request.action(server.host, "GetUser", "iam", UserName="a")
    asked.body += b"&UserName=a"
    assert asked.sign(home.keys, "iam").send().code == "MalformedInput"
    both = Request.action(server.host, "GetUser", "iam", UserName="a")
    both.query = "UserName=a"
    assert both.sign(home.keys, "iam").send().code == "MalformedInput"


def test_unknown_parameter_is_ignored_by_reads_and_refused_by_writes(server, home):
    read = Request.action(server.host, "ListUsers", "iam", Sugar="2").sign(home.keys, "iam").send()
    assert read.status == 200
    wanted = name("sugar")
    write = Request.action(server.host, "CreateUser", "iam", UserName=wanted, Sugar="2").sign(home.keys, "iam").send()
    assert (write.status, write.code) == (400, "ValidationError")
    assert "Sugar" in write.message
    issue = Request.action(server.host, "GetSessionToken", "sts", Sugar="2").sign(home.keys, "sts").send()
    assert (issue.status, issue.code) == (400, "ValidationError")
    with refused("NoSuchEntity"):
        home.iam.get_user(UserName=wanted)


def test_parameter_names_are_case_sensitive(server, home):
    asked = Request.action(server.host, "CreateUser", "iam", username=name("small")).sign(home.keys, "iam").send()
    assert (asked.status, asked.code) == (400, "ValidationError")


def test_plus_is_a_space_in_a_form(server, home, admin):
    role = home.role()
    pairs = {"RoleArn": role["Arn"], "RoleSessionName": "plus", "Policy": policy(statement("s3:*"))}
    asked = Request.action(server.host, "AssumeRole", "sts", **pairs)
    asked.body = asked.body.replace(b"%20", b"+")
    assert b"+" in asked.body
    assert asked.sign(admin.keys).send().status == 200


@pytest.mark.parametrize("value", ["ten", "1.5", "", "1e3", "99999999999", " 900"])
def test_number_that_is_none(server, admin, value):
    asked = Request.action(server.host, "GetSessionToken", "sts", DurationSeconds=value).sign(admin.keys).send()
    assert (asked.status, asked.code) == (400, "MalformedInput")


def test_trust_in_everybody_is_not_trust_in_strangers(server, home):
    role = home.role(trust("*"))
    asked = Request.action(server.host, "AssumeRole", "sts", RoleArn=role["Arn"], RoleSessionName="nobody").send()
    assert (asked.status, asked.code) == (403, "MissingAuthenticationToken")


def test_unsigned_get_is_nobody(server):
    answer = Request(server.host, "GET", query="Action=ListUsers&Version=2010-05-08").send()
    assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")
