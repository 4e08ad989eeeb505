"""The other signatures: Version 4A as the AWS Common Runtime makes it, Version 2 as clients made it in 2012.

AWS sources: "How AWS SigV4a works" in the IAM User Guide; "Signature Version 2 signing process" in the AWS General
Reference; "Using Temporary Security Credentials" (API version 2011-06-15), whose printed requests are sent here.
"""

import base64
import datetime
import hashlib
import hmac
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.crt.auth import CrtSigV4AsymQueryAuth

from support.bucket import BucketService
from support.client import ONCE, REGION, Account, House, allow, name, policy, refused, statement
from support.secrets import HELD, Search, hold, hold_in_text, watch
from support.server import Keys, Server
from support.signing import FORM, Answer, Request, now, pairs_to_query, quote

REFUSED_BY_NAME = (
    "The authorization mechanism you have provided (Signature Version 2) is not supported. Please use AWS4-HMAC-SHA256."
)


def client(server, service, keys, version, **more):
    """boto3's client with a signature version of our choice."""
    made = boto3.client(
        service,
        region_name=REGION,
        endpoint_url=server.endpoint,
        aws_access_key_id=keys.id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        config=Config(signature_version=version, retries=ONCE, **more),
    )
    watch(made.meta.events)
    return made


def signatures_of(clients):
    """What a client's requests hold from now on: that it is what was asked for."""
    seen = []
    clients.meta.events.register("before-send", lambda request, **_: seen.append(request.headers["Authorization"]))
    return seen


# --- Signature Version 4A -------------------------------------------------------------------------------


@pytest.mark.parametrize("regions", ["us-east-1", "*", "us-west-2,eu-*"])
def test_the_common_runtime_signs_for_many_regions(server, home, admin, regions):
    sts = client(server, "sts", admin.keys, "v4a", sigv4a_signing_region_set=regions)
    seen = signatures_of(sts)
    assert sts.get_caller_identity()["Arn"] == admin.arn
    made = sts.assume_role(RoleArn=home.role(None, allow("*"))["Arn"], RoleSessionName="everywhere")
    session = Keys.of(made["Credentials"])
    again = client(server, "sts", session, "v4a", sigv4a_signing_region_set=regions)
    assert again.get_caller_identity()["Arn"] == made["AssumedRoleUser"]["Arn"]
    iam = client(server, "iam", session, "v4a", sigv4a_signing_region_set=regions)
    assert iam.list_users()["Users"]
    assert len(seen) == 2 and all("AWS4-ECDSA-P256-SHA256" in given for given in map(str, seen))


def test_a_wrong_secret_signs_nothing_with_version_4a(server, admin):
    wrong = admin.keys.but(secret=admin.keys.secret[::-1])
    with refused("SignatureDoesNotMatch", status=403):
        client(server, "sts", wrong, "v4a", sigv4a_signing_region_set="*").get_caller_identity()
    with refused("InvalidClientTokenId", status=403):
        keys = admin.keys.but(token="x" * 60)
        client(server, "sts", keys, "v4a", sigv4a_signing_region_set="*").get_caller_identity()


def presigned(server, keys, regions="*"):
    """A GetCallerIdentity in a URL. botocore has its signer for S3 alone, so it is called without a client."""
    url = f"{server.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"Host": server.host})
    CrtSigV4AsymQueryAuth(Credentials(keys.id, keys.secret, keys.token), "sts", regions, expires=60).add_auth(request)
    hold_in_text(request.url)
    return request.url


def fetch(url):
    try:
        answer = urllib.request.urlopen(url, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())


@pytest.mark.parametrize("who", ["user", "session"])
def test_a_presigned_request_of_version_4a(server, home, admin, who):
    keys = admin.keys if who == "user" else admin.assume(home.role())
    url = presigned(server, keys)
    assert "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256" in url and "X-Amz-Region-Set=" in url
    answer = fetch(url)
    assert answer.status == 200 and home.id in answer.find("Arn"), answer
    for changed in [
        url.replace("GetCallerIdentity", "GetSessionToken"),
        url.replace("X-Amz-Region-Set=%2A", "X-Amz-Region-Set=us-east-1"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
    ]:
        assert changed != url
        answer = fetch(changed)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer


def test_an_s3_client_that_signs_for_many_regions_reaches_a_service_behind_daypass(server, home, tmp_path):
    made = name("bucket")
    resources = [f"arn:aws:s3:::{made}", f"arn:aws:s3:::{made}/*"]
    keeper = home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
    condition = {"StringEquals": {"s3:signatureversion": "AWS4-ECDSA-P256-SHA256"}}
    reader = home.user(policy(statement(["s3:GetObject", "s3:PutObject"], resources, condition=condition)))
    service = BucketService(tmp_path, made, server.endpoint, keeper.keys)
    try:
        s3 = service.s3(reader.keys, signature_version="s3v4a", sigv4a_signing_region_set="*")
        seen = signatures_of(s3)
        s3.put_object(Bucket=made, Key="a b/ü", Body=b"everywhere")
        assert s3.get_object(Bucket=made, Key="a b/ü")["Body"].read() == b"everywhere"
        assert len(seen) == 2 and all("AWS4-ECDSA-P256-SHA256" in given for given in map(str, seen))
        with refused("AccessDenied"):
            service.s3(reader.keys).get_object(Bucket=made, Key="a b/ü")
        with refused("SignatureDoesNotMatch"):
            wrong = reader.keys.but(secret=keeper.keys.secret)
            service.s3(wrong, signature_version="s3v4a").get_object(Bucket=made, Key="a b/ü")
    finally:
        service.stop()


# --- Signature Version 2 --------------------------------------------------------------------------------


class Old:
    """A server that takes Signature Version 2, and people who hold its keys."""

    def __init__(self, folder):
        self.server = Server(folder, "--allow-signature-v2", "--log", "trace", "--audit-stdout")
        self.home = Account(House(self.server), self.server.root_keys())
        self.user = self.home.user(allow("*"))


@pytest.fixture(scope="module")
def old(environment, tmp_path_factory):
    made = Old(tmp_path_factory.mktemp("version-2"))
    yield made
    assert made.server.stop() == 0


def signature(keys, method, host, pairs, digest=hashlib.sha256, path="/"):
    """Twenty lines after the General Reference, with nothing but the standard library."""
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(pairs))
    text = "\n".join([method, host.lower(), path, query])
    made = base64.b64encode(hmac.new(keys.secret.encode(), text.encode(), digest).digest()).decode()
    if digest is hashlib.sha256:
        hold("signature", made)
    return made


def pairs(keys, action, version="2011-06-15", **more):
    """Parameters in the order in which the documents of 2012 print them."""
    given = [("Action", action), ("AWSAccessKeyId", keys.id), *more.items(), ("SignatureVersion", "2")]
    given.append(("SignatureMethod", "HmacSHA256"))
    given.append(("Timestamp", now().strftime("%Y-%m-%dT%H:%M:%SZ")))
    return [*given, ("Version", version)]


def signed(keys, method, host, given, **more):
    """The pairs with their signature, the token behind it as printed."""
    token = [("SecurityToken", keys.token)] if keys.token else []
    return [*given, ("Signature", signature(keys, method, host, given + token, **more)), *token]


def send(server, method, all_pairs, headers=()):
    text = pairs_to_query(all_pairs)
    if method == "GET":
        return Request(server.host, "GET", query=text, headers=list(headers)).send()
    return Request(server.host, body=text.encode(), headers=[("Content-Type", FORM), *headers]).send()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_version_2_is_refused_by_name_unless_it_is_switched_on(server, admin, method):
    answer = send(server, method, signed(admin.keys, method, server.host, pairs(admin.keys, "GetCallerIdentity")))
    assert (answer.status, answer.code, answer.message) == (400, "IncompleteSignature", REFUSED_BY_NAME)
    with refused("IncompleteSignature", REFUSED_BY_NAME):
        client(server, "sts", admin.keys, "v2").get_caller_identity()


def test_the_start_says_that_version_2_is_accepted(server, old):
    warning = "Signature Version 2 is accepted"
    assert any(warning in line for line in old.server.lines) and warning in old.server.stderr()
    assert not any(warning in line for line in server.lines) and warning not in server.stderr()


def printed_request(keys, host):
    """The request that the documents print to show temporary credentials in use, line by line, with STS's operation in
    the place of SimpleDB's: an offset in its time, the token behind the signature."""
    here = datetime.timezone(datetime.timedelta(hours=-7))
    time = datetime.datetime.now(here).strftime("%Y-%m-%dT%H:%M:%S-07:00")
    given = [
        ("Action", "GetCallerIdentity"),
        ("AWSAccessKeyId", keys.id),
        ("SignatureVersion", "2"),
        ("SignatureMethod", "HmacSHA256"),
        ("Timestamp", time),
        ("Version", "2011-06-15"),
    ]
    return signed(keys, "GET", host, given)


def test_the_printed_request_with_temporary_credentials_is_accepted(old):
    session = Keys.of(old.user.sts.get_session_token()["Credentials"])
    answer = send(old.server, "GET", printed_request(session, old.server.host))
    assert (answer.status, answer.find("Arn")) == (200, old.user.arn), answer
    lines = "".join(f"&{name}={quote(value)}" for name, value in printed_request(session, old.server.host))
    assert Request(old.server.host, "GET", query=lines[1:]).send().status == 200
    # The token is signed: another one, or none, is another request.
    other = Keys.of(old.user.sts.get_session_token()["Credentials"])
    for token in [other.token, None]:
        changed = [(name, value) for name, value in printed_request(session, old.server.host) if name != "SecurityToken"]
        changed += [("SecurityToken", token)] if token else []
        answer = send(old.server, "GET", changed)
        assert (answer.status, answer.code) == (403, "InvalidClientTokenId"), answer


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("digest", [hashlib.sha256, hashlib.sha1], ids=["HmacSHA256", "HmacSHA1"])
def test_requests_as_the_documents_print_them_are_answered(old, method, digest):
    algorithm = {hashlib.sha256: "HmacSHA256", hashlib.sha1: "HmacSHA1"}[digest]

    def ask(action, version="2011-06-15", **more):
        given = changed(pairs(old.user.keys, action, version, **more), SignatureMethod=algorithm)
        return send(old.server, method, signed(old.user.keys, method, old.server.host, given, digest=digest))

    session = ask("GetSessionToken", DurationSeconds="3600")
    assert session.status == 200 and session.find("AccessKeyId").startswith("ASIA"), session
    federated = ask("GetFederationToken", Name="Jean", DurationSeconds="3600", Policy=allow("s3:*"))
    assert federated.status == 200 and federated.find("Arn").endswith(":federated-user/Jean"), federated
    users = ask("ListUsers", "2010-05-08")
    assert users.status == 200 and old.user.name in users.text, users
    made = ask("CreateUser", "2010-05-08", UserName=name("old"))
    assert made.status == 200, made


def test_botocores_own_version_2_is_accepted(old):
    assert client(old.server, "sts", old.user.keys, "v2").get_caller_identity()["Arn"] == old.user.arn
    session = Keys.of(client(old.server, "sts", old.user.keys, "v2").get_session_token()["Credentials"])
    assert client(old.server, "iam", old.user.keys, "v2").list_users()["Users"]
    assert client(old.server, "sts", session, "v2").get_caller_identity()["Arn"] == old.user.arn
    with refused("SignatureDoesNotMatch", status=403):
        client(old.server, "sts", old.user.keys.but(secret=session.secret), "v2").get_caller_identity()


def test_botocore_calculates_what_we_calculate(old):
    keys = old.user.keys
    given = dict(pairs(keys, "GetCallerIdentity"))
    request = AWSRequest("GET", old.server.endpoint + "/", params=given)
    _, theirs = SigV2Auth(Credentials(keys.id, keys.secret)).calc_signature(request, given)
    assert theirs == signature(keys, "GET", old.server.host, list(given.items()))


def changed(given, **values):
    """With other values, `None` for none."""
    return [(name, values.get(name, value)) for name, value in given if values.get(name, value) is not None]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whatever_version_2_leaves_open_is_refused(old, method):
    keys, host = old.user.keys, old.server.host
    good = pairs(keys, "GetCallerIdentity")

    def told(all_pairs, **more):
        answer = send(old.server, method, all_pairs, **more)
        return answer.status, answer.code

    def sign(given):
        return signed(keys, method, host, given)

    assert told(sign(good)) == (200, None)
    mismatch, incomplete = (403, "SignatureDoesNotMatch"), (400, "IncompleteSignature")
    # Changed after it was signed.
    assert told(changed(sign(good), Action="GetSessionToken")) == mismatch
    assert told([*sign(good), ("DurationSeconds", "900")]) == mismatch
    assert told(signed(keys, "PUT", host, good)) == mismatch
    assert told(signed(keys, method, "sts.amazonaws.com", good)) == mismatch
    assert told(signed(keys, method, host, good, path="/x")) == mismatch
    # Fields are not signed, so none that means something may come.
    for name in ["X-Amz-Date", "X-Amz-Meta", "X-Amz-Content-Sha256"]:
        assert told(sign(good), headers=[(name, "1")]) == mismatch, name
    assert told(sign(good), headers=[("X-Amz-Security-Token", "x")]) == incomplete
    assert told(sign(good), headers=[("Authorization", "AWS4-HMAC-SHA256 x")]) == incomplete
    # Other versions, other methods, and half of it.
    for version in ["0", "1", "3", "4", ""]:
        assert told(sign(changed(good, SignatureVersion=version))) == (400, "InvalidParameterValue"), version
    for other in ["HmacSHA512", "hmacsha256", "none", ""]:
        assert told(sign(changed(good, SignatureMethod=other))) == (400, "InvalidParameterValue"), other
    for name in ["AWSAccessKeyId", "SignatureVersion", "SignatureMethod", "Timestamp"]:
        assert told(sign(changed(good, **{name: None}))) == (400, "MissingParameter"), name
    assert told(good) == (400, "MissingParameter")
    # Names that come twice or in another case have a second reading.
    for name, value in sign(good):
        twice = [*sign(good), (name, value)]
        assert told(twice)[0] == 400, name
        if name not in ("Action", "Version"):
            assert told([*changed(sign(good), **{name: None}), (name.lower(), value)]) == incomplete, name
            assert told([*sign(good), (name.upper(), value)]) == incomplete, name
    # Two credentials.
    for name in ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "X-Amz-Algorithm"]:
        assert told([*sign(good), (name, "x")])[0] in (400, 403), name


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_version_2_has_fifteen_minutes(old, method):
    keys, host = old.user.keys, old.server.host
    good = pairs(keys, "GetCallerIdentity")

    def told(name, **offset):
        time = now(**offset).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = [*changed(good, Timestamp=None), (name, time)]
        answer = send(old.server, method, signed(keys, method, host, given))
        if answer.status != 200:
            assert (answer.status, answer.code) == (400, "RequestExpired"), answer
            assert answer.message == f"Request has expired. {name} date is {time}."
        return answer.status

    for name, offset, status in [
        ("Timestamp", {"minutes": -14}, 200),
        ("Timestamp", {"minutes": -16}, 400),
        ("Timestamp", {"minutes": 14}, 200),
        ("Timestamp", {"minutes": 16}, 400),
        ("Expires", {"minutes": 14}, 200),
        ("Expires", {"minutes": 16}, 400),
        ("Expires", {"seconds": -2}, 400),
    ]:
        assert told(name, **offset) == status, (name, offset)
    both = [*good, ("Expires", now(minutes=1).strftime("%Y-%m-%dT%H:%M:%SZ"))]
    answer = send(old.server, method, signed(keys, method, host, both))
    assert (answer.status, answer.code) == (400, "InvalidParameterCombination")


def test_what_version_2_does_not_sign_may_not_be_there(old):
    keys, host = old.user.keys, old.server.host
    good = pairs(keys, "GetCallerIdentity")
    text = pairs_to_query(signed(keys, "GET", host, good))
    with_body = Request(host, "GET", query=text, body=b"x=y").send()
    assert (with_body.status, with_body.code) == (403, "SignatureDoesNotMatch")
    text = pairs_to_query(signed(keys, "POST", host, good))
    for query in ["DurationSeconds=900", "x"]:
        answer = Request(host, query=query, body=text.encode(), headers=[("Content-Type", FORM)]).send()
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), query
    answer = Request(host, query=text, body=b"", headers=[("Content-Type", FORM)]).send()
    assert answer.status in (400, 403), answer


def test_nothing_of_version_2_is_written_down(old):
    client(old.server, "sts", old.user.keys, "v2").get_caller_identity()
    answer = send(old.server, "GET", printed_request(old.user.keys, old.server.host))
    assert answer.status == 200
    search = Search(HELD)
    for path in [old.server.log, *old.server.audits()]:
        assert search.in_file(path) is None, path
