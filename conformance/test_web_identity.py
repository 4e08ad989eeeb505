"""AssumeRoleWithWebIdentity with boto3 and the AWS CLI: a provider that signs, a role that trusts it, nobody's keys.

AWS sources: AssumeRoleWithWebIdentity in the AWS STS API Reference; "OIDC federation" in the IAM User Guide; the web
identity settings of the AWS CLI and SDKs.
"""

import json

import boto3
import pytest

from support import cli
from support.client import REGION, Account, House, allow, name, refused, trust
from support.issuer import Issuer, Key
from support.server import Keys, Server


class Place:
    """A server that knows the issuer, and a role for its alice."""

    def __init__(self, server, issuer):
        self.server, self.issuer = server, issuer
        self.house = House(server)
        self.home = Account(self.house, server.root_keys())
        made = self.home.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])
        self.provider = made["OpenIDConnectProviderArn"]
        self.role = self.make_role({f"{issuer.name}:sub": "alice"})
        self.sts = self.house.nobody()

    def make_role(self, equal):
        known = name("web")
        document = trust({"Federated": self.provider}, "sts:AssumeRoleWithWebIdentity", {"StringEquals": equal})
        role = self.home.iam.create_role(RoleName=known, AssumeRolePolicyDocument=document)["Role"]
        self.home.iam.put_role_policy(RoleName=known, PolicyName="p", PolicyDocument=allow("iam:ListRoles"))
        return role["Arn"]

    def assume(self, token, **more):
        call = {"RoleArn": self.role, "RoleSessionName": "laptop", "WebIdentityToken": token, **more}
        return self.sts.assume_role_with_web_identity(**call)


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    issuer = Issuer()
    server = Server(tmp_path_factory.mktemp("daypass-web"), "--allow-insecure-issuer", issuer.url)
    yield Place(server, issuer)
    assert server.stop() == 0
    issuer.close()


def test_provider_is_shown_and_changed(place):
    iam = place.home.iam
    arn = f"arn:aws:iam::{place.home.id}:oidc-provider/{place.issuer.name}"
    assert place.provider == arn
    assert arn in [row["Arn"] for row in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (shown["Url"], shown["ClientIDList"]) == (place.issuer.name, ["app", "other"])
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    with refused("EntityAlreadyExists", f"Provider with url {place.issuer.url} already exists."):
        iam.create_open_id_connect_provider(Url=place.issuer.url)
    with refused("ValidationError"):
        iam.create_open_id_connect_provider(Url="http://127.0.0.1:1/elsewhere")


def test_token_becomes_a_session(place):
    answer = place.assume(place.issuer.token())
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("alice", "app")
    assert answer["Provider"] == place.provider
    keys = Keys.of(answer["Credentials"])
    assert place.house.sts(keys).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    place.house.iam(keys).list_roles()
    with refused("AccessDenied"):
        place.house.iam(keys).list_users()


@pytest.mark.parametrize(
    "claims,code",
    [
        ({"sub": "bob"}, "AccessDenied"),
        ({"aud": "stranger"}, "InvalidIdentityToken"),
        ({"iss": "http://127.0.0.1:1/realm"}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
        ({"iat": 1}, "ExpiredTokenException"),
        ({"sub": None}, "InvalidIdentityToken"),
    ],
)
def test_token_is_refused(place, claims, code):
    with refused(code):
        place.assume(place.issuer.token(**claims))


def test_forged_tokens_are_refused(place):
    thief = Key("first")
    with refused("InvalidIdentityToken"):
        place.assume(thief.sign(place.issuer.claims()))
    head, body, _ = place.issuer.token().split(".")
    with refused("InvalidIdentityToken"):
        place.assume(f"{head}.{body}.")
    with refused("InvalidIdentityToken"):
        place.assume("eyJhbGciOiJub25lIn0." + body + ".")


def test_new_key_is_looked_for_again_when_the_client_tries_again(place):
    def make_anew():
        place.home.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=place.provider)
        place.home.iam.create_open_id_connect_provider(Url=place.issuer.url, ClientIDList=["app"])

    make_anew()  # so that its keys are fetched by the next call
    place.assume(place.issuer.token())
    place.issuer.keys.append(Key("second"))
    with refused("IDPCommunicationError"):  # they were, a moment ago
        place.assume(place.issuer.token())
    make_anew()
    place.assume(place.issuer.token())


def test_boto3_takes_the_token_from_a_file(place, tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(place.issuer.token())
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ROLE_ARN", place.role)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "pod")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", place.server.endpoint)
    session = boto3.Session(region_name=REGION)
    arn = session.client("sts").get_caller_identity()["Arn"]
    assert arn.endswith("/pod") and ":assumed-role/" in arn


def test_cli_takes_the_token_from_a_file_and_as_an_argument(place, tmp_path):
    file = tmp_path / "token"
    file.write_text(place.issuer.token())

    def aws(*arguments, **more):
        done = cli.run("sts", *arguments, given=cli.environment(place.server, **more))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    given = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_ARN": place.role, "AWS_ROLE_SESSION_NAME": "cli"}
    assert aws("get-caller-identity", **given)["Arn"].endswith("/cli")
    call = ["--role-arn", place.role, "--role-session-name", "once", "--web-identity-token", place.issuer.token()]
    assert aws("assume-role-with-web-identity", *call)["SubjectFromWebIdentityToken"] == "alice"
