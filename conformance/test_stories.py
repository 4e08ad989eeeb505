"""The stories daypass exists for, through a service that stands behind it.

A broker hands out credentials to people nobody registered; a bucket and a queue ask daypass who
signed a request and whether they may; permissions change, and what was handed out changes with them.

AWS sources: "GetFederationToken" and "Permissions for temporary security credentials" in the IAM
User Guide; the `daypass` actions are described by `api/daypass/2026-11-01/service-2.json`.
"""

import datetime
import hashlib
import json
import re

import pytest

from support.client import ALLOW_ALL, allow, deny, name, policy, refused, statement, this_second, trust
from support.server import Keys
from support.signing import EMPTY, Request, now

EVERYTHING = json.dumps(ALLOW_ALL)
HOST = "bucket.example.test"


class Shop:
    """A service with a bucket of its own; it holds one access key and asks."""

    def __init__(self, account):
        self.account = account
        self.bucket = name("bucket")
        self.arn = f"arn:aws:s3:::{self.bucket}"
        self.keeper = account.user(allow("daypass:CheckRequest"), prefix="keeper")

    def asked(self, keys, key, method="GET", body=b""):
        """The signed request of somebody for an object."""
        digest = hashlib.sha256(body).hexdigest()
        made = Request(HOST, method, f"/{self.bucket}/{key}", body=body, headers=[("X-Amz-Content-Sha256", digest)])
        return made.sign(keys, service="s3")

    def check(self, request, action, resource, context=None):
        """What daypass says about it."""
        described = request if isinstance(request, dict) else request.described()
        more = {"Context": context} if context else {}
        return self.keeper.daypass.check_request(Request=described, Action=action, Resource=resource, **more)

    def get(self, keys, key, context=None):
        """The decision about reading an object."""
        return self.check(self.asked(keys, key), "s3:GetObject", f"{self.arn}/{key}", context)["Decision"]

    def put(self, keys, key):
        request = self.asked(keys, key, "PUT", b"text")
        return self.check(request, "s3:PutObject", f"{self.arn}/{key}")["Decision"]

    def delete_bucket(self, keys):
        request = self.asked(keys, "", "DELETE")
        return self.check(request, "s3:DeleteBucket", self.arn)["Decision"]

    def policy(self, *statements):
        """Puts the policy of the bucket; without statements, takes it away."""
        if statements:
            self.account.daypass.put_resource_policy(ResourceArn=self.arn, Policy=policy(*statements))
        else:
            self.account.daypass.delete_resource_policy(ResourceArn=self.arn)


@pytest.fixture(scope="module")
def shop(home):
    return Shop(home)


@pytest.fixture
def issuer(home, shop):
    """The broker: may read one folder, and make federated users."""
    return home.user(
        policy(
            statement("sts:GetFederationToken"),
            statement("s3:GetObject", f"{shop.arn}/federated-user/*"),
        ),
        prefix="Issuer",
    )


def jills(shop):
    return allow("s3:GetObject", f"{shop.arn}/federated-user/Jill/*")


# --- the broker -----------------------------------------------------------------------------------------


def test_broker_makes_managers_only(home):
    broker = home.user(policy(statement("sts:GetFederationToken", f"arn:aws:sts::{home.id}:federated-user/Manager*"), version=None))
    broker.sts.get_federation_token(Name="ManagerJane")
    with refused("AccessDenied", status=403):
        broker.sts.get_federation_token(Name="Jane")


def test_jill_reads_her_own_things_and_nothing_else(home, shop, issuer):
    jill = home.federated("Jill", jills(shop), by=issuer)
    assert shop.get(jill, "federated-user/Jill/a.txt") == "Allowed"
    assert shop.get(jill, "federated-user/Susan/b.txt") == "ImplicitlyDenied"
    assert shop.put(jill, "federated-user/Jill/a.txt") == "ImplicitlyDenied"


def test_jills_policy_cannot_give_what_her_issuer_lacks(home, shop, issuer):
    jill = home.federated("Jill", EVERYTHING, by=issuer)
    assert shop.get(jill, "federated-user/Susan/b.txt") == "Allowed"
    assert shop.get(jill, "private/c.txt") == "ImplicitlyDenied"
    assert shop.delete_bucket(jill) == "ImplicitlyDenied"


def test_change_of_the_issuers_policy_reaches_jill_at_once(home, shop, issuer):
    jill = home.federated("Jill", EVERYTHING, by=issuer)
    assert shop.get(jill, "federated-user/Jill/a.txt") == "Allowed"
    home.iam.delete_user_policy(UserName=issuer.name, PolicyName="p0")
    assert shop.get(jill, "federated-user/Jill/a.txt") == "ImplicitlyDenied"
    issuer.permit(allow("s3:*", f"{shop.arn}/*"))
    assert shop.get(jill, "federated-user/Jill/a.txt") == "Allowed"


def test_deny_on_the_issuer_takes_one_persons_things_away(home, shop, issuer):
    jill, susan = (home.federated(who, EVERYTHING, by=issuer) for who in ("Jill", "Susan"))
    issuer.permit(deny("s3:GetObject", f"{shop.arn}/federated-user/Jill/*"))
    assert shop.get(jill, "federated-user/Jill/a.txt") == "ExplicitlyDenied"
    assert shop.get(susan, "federated-user/Susan/b.txt") == "Allowed"


def test_condition_on_the_issuer_binds_jill(home, shop):
    condition = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    issuer = home.user(
        policy(statement("sts:GetFederationToken"), statement("s3:GetObject", f"{shop.arn}/*", condition=condition))
    )
    jill = home.federated("Jill", EVERYTHING, by=issuer)
    assert shop.get(jill, "a.txt", {"aws:SourceIp": ["192.0.2.7"]}) == "Allowed"
    assert shop.get(jill, "a.txt", {"aws:SourceIp": ["198.51.100.7"]}) == "ImplicitlyDenied"
    assert shop.get(jill, "a.txt") == "ImplicitlyDenied"


def test_nobody_gets_anything_without_a_policy_but_from_the_resource(home, shop, issuer):
    susan = home.federated("Susan", by=issuer)
    assert shop.get(susan, "federated-user/Susan/b.txt") == "ImplicitlyDenied"
    arn = f"arn:aws:sts::{home.id}:federated-user/Susan"
    shop.policy({**statement("s3:GetObject", f"{shop.arn}/*"), "Principal": {"AWS": arn}})
    try:
        assert shop.get(susan, "federated-user/Susan/b.txt") == "Allowed"
        assert shop.get(home.federated("Jill", by=issuer), "federated-user/Susan/b.txt") == "ImplicitlyDenied"
    finally:
        shop.policy()
    assert shop.get(susan, "federated-user/Susan/b.txt") == "ImplicitlyDenied"


def test_deny_on_john_in_a_queues_policy_stops_his_federated_users(home, shop):
    john = home.user(policy(statement(["sts:GetFederationToken", "sqs:*"])), prefix="John")
    guest = home.federated("Guest", EVERYTHING, by=john)
    queue = f"arn:aws:sqs:us-east-1:{home.id}:{name('queue')}"

    def send(keys):
        request = Request("queue.example.test", "POST", "/", body=b"hello").sign(keys, service="sqs")
        return shop.check(request, "sqs:SendMessage", queue)["Decision"]

    assert (send(john.keys), send(guest)) == ("Allowed", "Allowed")
    document = json.dumps({
        "Version": "2008-10-17",
        "Id": "QueuePolicy",
        "Statement": [
            {"Effect": "Deny", "Principal": {"AWS": john.arn}, "Action": "sqs:SendMessage", "Resource": queue}
        ],
    })  # fmt: skip
    home.daypass.put_resource_policy(ResourceArn=queue, Policy=document)
    assert (send(john.keys), send(guest)) == ("ExplicitlyDenied", "ExplicitlyDenied")
    assert json.loads(home.daypass.get_resource_policy(ResourceArn=queue)["Policy"]) == json.loads(document)


# --- the second account ---------------------------------------------------------------------------------


def test_bucket_trusts_a_second_account_down_to_its_federated_session(home, other, shop):
    theirs = other.user(policy(statement(["sts:GetFederationToken", "s3:GetObject"])))
    guest = other.federated("Guest", allow("s3:GetObject"), by=theirs)
    assert shop.get(guest, "shared/a.txt") == "ImplicitlyDenied"
    shop.policy({**statement("s3:GetObject", f"{shop.arn}/shared/*"), "Principal": {"AWS": other.root_arn}})
    try:
        assert shop.get(theirs.keys, "shared/a.txt") == "Allowed"
        assert shop.get(guest, "shared/a.txt") == "Allowed"
        assert shop.get(guest, "private/a.txt") == "ImplicitlyDenied"
        assert shop.get(other.user().keys, "shared/a.txt") == "ImplicitlyDenied"
        narrow = other.federated("Narrow", allow("sqs:*"), by=theirs)
        assert shop.get(narrow, "shared/a.txt") == "ImplicitlyDenied"
    finally:
        shop.policy()


def test_role_in_the_second_account_with_everything_that_belongs_to_it(home, other, house):
    shop = Shop(other)
    visitor = home.user(policy(statement(["sts:AssumeRole", "sts:TagSession"])))
    both = {"AWS": home.root_arn}
    document = json.loads(trust(both, "sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "42"}}))
    document["Statement"].append({"Effect": "Allow", "Principal": both, "Action": "sts:TagSession"})
    own = f"{shop.arn}/${{aws:PrincipalTag/Project}}/*"
    first = other.role(json.dumps(document), policy(statement("s3:*", own), statement(["sts:AssumeRole", "sts:TagSession"])))
    last = other.role(trust(first["Arn"], ["sts:AssumeRole", "sts:TagSession"]), policy(statement("s3:GetObject", own)))

    project = {"Tags": [{"Key": "Project", "Value": "moon"}], "TransitiveTagKeys": ["Project"]}
    with refused("AccessDenied", status=403):
        visitor.assume(first, **project)
    keys = visitor.assume(first, "trip", ExternalId="42", Policy=policy(statement(["s3:GetObject", "sts:*"])), **project)
    assert shop.get(keys, "moon/a.txt") == "Allowed"
    assert shop.get(keys, "mars/a.txt") == "ImplicitlyDenied"
    assert shop.put(keys, "moon/a.txt") == "ImplicitlyDenied"

    chained = house.sts(keys).assume_role(RoleArn=last["Arn"], RoleSessionName="leg2")
    assert shop.get(Keys.of(chained["Credentials"]), "moon/a.txt") == "Allowed"
    assert shop.get(Keys.of(chained["Credentials"]), "mars/a.txt") == "ImplicitlyDenied"


# --- losing credentials ---------------------------------------------------------------------------------


def test_sessions_older_than_a_moment_are_refused_by_the_known_pattern(home, admin, shop):
    role = home.role(None, allow("s3:*"))
    keys = admin.assume(role)
    assert shop.get(keys, "a.txt") == "Allowed"
    moment = datetime.datetime.fromtimestamp(this_second() + 3600, datetime.timezone.utc)
    condition = {"DateLessThan": {"aws:TokenIssueTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    home.iam.put_role_policy(
        RoleName=role["RoleName"], PolicyName="AWSRevokeOlderSessions", PolicyDocument=deny("*", condition=condition)
    )
    assert shop.get(keys, "a.txt") == "ExplicitlyDenied"


def test_session_of_a_role_made_again_is_dead(home, admin, shop):
    role = home.role(None, allow("s3:*"))
    keys = admin.assume(role)
    home.iam.delete_role_policy(RoleName=role["RoleName"], PolicyName="p0")
    home.iam.delete_role(RoleName=role["RoleName"])
    home.iam.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=trust(home.root_arn))
    home.iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p", PolicyDocument=allow("s3:*"))
    assert shop.get(keys, "a.txt") == "ImplicitlyDenied"
    assert shop.get(admin.assume(role), "a.txt") == "Allowed"


# --- what CheckRequest tells ----------------------------------------------------------------------------


def test_answer_names_the_principal_and_the_statement_that_decided(home, shop):
    document = policy(statement("s3:GetObject", Sid="Reading"))
    user = home.user(document)
    answer = shop.check(shop.asked(user.keys, "a.txt"), "s3:GetObject", f"{shop.arn}/a.txt")
    principal = answer["Principal"]
    assert (principal["Arn"], principal["UserId"], principal["Account"]) == (user.arn, user.id, home.id)
    assert [row.get("Sid") for row in answer["DeterminingStatements"]] == ["Reading"]
    assert answer["PayloadHash"] == EMPTY
    assert re.fullmatch(r"[0-9a-f]{64}", answer["SignatureHash"])
    assert answer["Expires"] > datetime.datetime.now(datetime.timezone.utc)


def test_session_names_its_issuer(home, shop, admin):
    role = home.role(None, allow("s3:*"))
    answer = shop.check(shop.asked(admin.assume(role, "Shift"), "a.txt"), "s3:GetObject", f"{shop.arn}/a.txt")
    assert answer["Principal"]["Arn"] == f"arn:aws:sts::{home.id}:assumed-role/{role['RoleName']}/Shift"
    assert answer["Principal"]["SessionIssuer"]["Arn"] == role["Arn"]


def test_bad_signature_is_an_answer_not_an_error(home, shop):
    answer = shop.check(shop.asked(home.keys.but(secret="x" * 40), "a.txt"), "s3:GetObject", f"{shop.arn}/a.txt")
    assert answer["Decision"] == "ImplicitlyDenied"
    assert answer["AuthenticationError"]["Code"] == "SignatureDoesNotMatch"


def test_unsigned_request_is_anonymous(shop):
    request = Request(HOST, "GET", f"/{shop.bucket}/open/a.txt")
    resource = f"{shop.arn}/open/a.txt"
    assert shop.check(request, "s3:GetObject", resource)["Decision"] == "ImplicitlyDenied"
    shop.policy({**statement("s3:GetObject", f"{shop.arn}/open/*"), "Principal": "*"})
    try:
        answer = shop.check(request, "s3:GetObject", resource)
        assert answer["Decision"] == "Allowed"
        half = Request(HOST, "GET", request.path, headers=[("Authorization", "AWS4-HMAC-SHA256 Credential=x")])
        assert shop.check(half, "s3:GetObject", resource)["Decision"] == "ImplicitlyDenied"
    finally:
        shop.policy()


def test_presigned_request_is_checked_too(home, shop):
    user = home.user(allow("s3:GetObject"))
    request = Request(HOST, "GET", f"/{shop.bucket}/a.txt")
    request.presign(user.keys, service="s3", expires=300, payload="UNSIGNED-PAYLOAD")
    answer = shop.check(request, "s3:GetObject", f"{shop.arn}/a.txt")
    assert (answer["Decision"], answer["PayloadHash"]) == ("Allowed", "UNSIGNED-PAYLOAD")
    late = Request(HOST, "GET", f"/{shop.bucket}/a.txt")
    late.presign(user.keys, service="s3", expires=300, payload="UNSIGNED-PAYLOAD", time=now(minutes=-6))
    assert shop.check(late, "s3:GetObject", f"{shop.arn}/a.txt")["Decision"] == "ImplicitlyDenied"


# --- CheckRequest is no deputy for strangers ------------------------------------------------------------


def test_asking_needs_permission_on_the_resource(home, shop):
    nobody = home.user()
    described = shop.asked(home.user().keys, "a.txt").described()
    with refused("AccessDenied", status=403):
        nobody.daypass.check_request(Request=described, Action="s3:GetObject", Resource=f"{shop.arn}/a.txt")
    narrow = home.user(allow("daypass:CheckRequest", f"{shop.arn}/a*"))
    narrow.daypass.check_request(Request=described, Action="s3:GetObject", Resource=f"{shop.arn}/a.txt")
    with refused("AccessDenied", status=403):
        narrow.daypass.check_request(Request=described, Action="s3:GetObject", Resource=f"{shop.arn}/b.txt")


def test_request_for_another_host_does_not_count_here(home, shop):
    user = home.user(allow("s3:*"))
    described = shop.asked(user.keys, "a.txt").described()
    described["Url"] = described["Url"].replace(HOST, "other.example.test")
    answer = shop.check(described, "s3:GetObject", f"{shop.arn}/a.txt")
    assert answer["Decision"] == "ImplicitlyDenied" and answer["AuthenticationError"]


@pytest.mark.parametrize("service", ["sts", "iam", "daypass", "signin"])
def test_request_to_daypass_itself_cannot_be_laundered(home, shop, service):
    request = Request(HOST, "GET", f"/{shop.bucket}/a.txt").sign(home.user(EVERYTHING).keys, service=service)
    try:
        answer = shop.check(request, "s3:GetObject", f"{shop.arn}/a.txt")
    except shop.keeper.daypass.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] in ("ValidationError", "AccessDenied")
    else:
        assert answer["Decision"] == "ImplicitlyDenied"


@pytest.mark.parametrize(
    "action,resource",
    [
        ("iam:GetUser", "arn:aws:iam::{home}:user/x"),
        ("sts:AssumeRole", "arn:aws:iam::{home}:role/x"),
        ("daypass:CheckRequest", "arn:aws:s3:::x"),
        ("s3:GetObject", "arn:aws:iam::{home}:user/x"),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:{other}:x"),
    ],
)
def test_what_a_service_may_not_ask_about(home, other, shop, action, resource):
    request = shop.asked(home.user().keys, "a.txt")
    with refused("ValidationError", status=400):
        shop.check(request, action, resource.format(home=home.id, other=other.id))


@pytest.mark.parametrize(
    "context",
    [
        {"aws:PrincipalArn": ["arn:aws:iam::123456789012:user/x"]},
        {"aws:PrincipalTag/Team": ["blue"]},
        {"aws:MultiFactorAuthPresent": ["true"]},
        {"aws:TokenIssueTime": ["2020-01-01T00:00:00Z"]},
        {"AWS:username": ["root"]},
        {"aws:SourceIp": ["192.0.2.1", "192.0.2.2"]},
    ],
)
def test_context_cannot_be_forged(home, shop, context):
    with refused("ValidationError", status=400):
        shop.get(home.user().keys, "a.txt", context)


def test_body_that_was_swapped(home, shop):
    user = home.user(allow("s3:*"))
    described = shop.asked(user.keys, "a.txt", "PUT", b"right").described()
    described["BodySha256"] = hashlib.sha256(b"wrong").hexdigest()
    answer = shop.check(described, "s3:PutObject", f"{shop.arn}/a.txt")
    assert answer["Decision"] == "ImplicitlyDenied" and answer["AuthenticationError"]


def test_header_that_was_not_signed_is_not_believed(home, shop):
    user = home.user(allow("s3:*"))
    described = shop.asked(user.keys, "a.txt").described()
    described["Headers"].append({"Name": "x-amz-meta-owner", "Value": "mallory"})
    answer = shop.check(described, "s3:GetObject", f"{shop.arn}/a.txt")
    assert answer["Decision"] == "ImplicitlyDenied" and answer["AuthenticationError"]


def test_method_and_path_are_part_of_what_was_signed(home, shop):
    user = home.user(allow("s3:*"))
    for member, value in (("Method", "DELETE"), ("Url", f"http://{HOST}/{shop.bucket}/b.txt")):
        described = {**shop.asked(user.keys, "a.txt").described(), member: value}
        answer = shop.check(described, "s3:GetObject", f"{shop.arn}/a.txt")
        assert answer["AuthenticationError"]["Code"] == "SignatureDoesNotMatch"


# --- resource policies ----------------------------------------------------------------------------------


def test_resource_policies_are_put_listed_and_deleted(home):
    arn = f"arn:aws:s3:::{name('listed')}"
    document = policy({**statement("s3:GetObject", f"{arn}/*"), "Principal": {"AWS": home.root_arn}})
    home.daypass.put_resource_policy(ResourceArn=arn, Policy=document)
    assert json.loads(home.daypass.get_resource_policy(ResourceArn=arn)["Policy"]) == json.loads(document)
    walk = home.daypass.get_paginator("list_resource_policies").paginate(PaginationConfig={"PageSize": 1})
    assert arn in [row["ResourceArn"] for page in walk for row in page["ResourcePolicies"]]
    home.daypass.delete_resource_policy(ResourceArn=arn)
    with refused("NoSuchEntity", status=404):
        home.daypass.get_resource_policy(ResourceArn=arn)


def test_resource_policies_belong_to_one_account(home, other):
    arn = f"arn:aws:s3:::{name('mine')}"
    document = policy({**statement("s3:*", f"{arn}/*"), "Principal": "*"})
    home.daypass.put_resource_policy(ResourceArn=arn, Policy=document)
    with refused("NoSuchEntity", status=404):
        other.daypass.get_resource_policy(ResourceArn=arn)


def test_resource_policy_names_principals_that_exist(home):
    arn = f"arn:aws:s3:::{name('who')}"
    missing = f"arn:aws:iam::{home.id}:user/never-was"
    with refused("MalformedPolicyDocument", status=400):
        home.daypass.put_resource_policy(
            ResourceArn=arn, Policy=policy({**statement("s3:*", f"{arn}/*"), "Principal": {"AWS": missing}})
        )


@pytest.mark.parametrize("kind", ["session of a user", "federated user"])
def test_sessions_without_iam_write_no_resource_policy(home, house, admin, kind):
    if kind == "federated user":
        keys = home.federated("Jill", EVERYTHING, by=admin)
    else:
        keys = Keys.of(admin.sts.get_session_token()["Credentials"])
    arn = f"arn:aws:s3:::{name('never')}"
    document = policy({**statement("s3:*", f"{arn}/*"), "Principal": "*"})
    with refused(("InvalidClientTokenId", "UnrecognizedClientException", "AccessDenied")):
        house.daypass(keys).put_resource_policy(ResourceArn=arn, Policy=document)
    with refused("NoSuchEntity"):
        home.daypass.get_resource_policy(ResourceArn=arn)
