"""AssumeRoleWithWebIdentity by other people's providers: npm's `oidc-provider`, certified by the OpenID Foundation, and an
issuer of tokens for pods as Kubernetes has it.

AWS sources: AssumeRoleWithWebIdentity in the AWS STS API Reference; "OIDC federation" in the IAM User Guide; the web identity
settings of the AWS CLI and SDKs. Kubernetes: "Service account token volume projection".
"""

import json
import re
import uuid

import boto3
import pytest

from support import cli
from support.client import REGION, Account, House, allow, refused, trust
from support.issuer import Issuer, Key
from support.server import Keys, Server
from support.wait import until

ACTION = "sts:AssumeRoleWithWebIdentity"
ALGORITHM = "The ID Token is not signed with an algorithm that is allowed for its provider"
NO_KEY = ("InvalidIdentityToken", "IDPCommunicationError")
UNREACHABLE = "The identity provider cannot be reached to verify the ID Token. Try again."
POD = "system:serviceaccount:shop:checkout"


@pytest.fixture(scope="module")
def cluster(environment):
    issuer = Issuer("/id/0123456789ABCDEF")
    yield issuer
    issuer.close()


class Place:
    """A server that may ask both."""

    def __init__(self, folder, *issuers):
        settings = [word for issuer in issuers for word in ("--allow-insecure-issuer", issuer.url)]
        self.server = Server(folder, *settings)
        self.house = House(self.server)
        self.home = Account(self.house, self.server.root_keys())
        self.sts = self.house.nobody()

    def role(self, issuer, audience, subject):
        """A role for this subject alone, at a provider that is registered for it."""
        arn = f"arn:aws:iam::{self.home.id}:oidc-provider/{issuer.name}"
        listed = self.home.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if arn not in [row["Arn"] for row in listed]:
            self.home.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[audience])
        equal = {"StringEquals": {f"{issuer.name}:aud": audience, f"{issuer.name}:sub": subject}}
        return self.home.role(trust({"Federated": arn}, ACTION, equal), allow("iam:ListRoles"), prefix="web")["Arn"]

    def assume(self, role, token):
        call = {"RoleArn": role, "RoleSessionName": "test", "WebIdentityToken": token}
        return self.sts.assume_role_with_web_identity(**call)


@pytest.fixture(scope="module")
def place(certified, cluster, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("providers"), certified, cluster)
    yield place
    assert place.server.stop() == 0


# --- oidc-provider: what the last two do to it cannot be undone -------------------------------------------


@pytest.fixture(scope="module")
def robot(place, certified):
    return place.role(certified, "app", "app")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512"])
def test_token_of_a_client_by_every_common_algorithm(place, certified, robot, algorithm):
    answer = place.assume(robot, certified.robot(algorithm))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("app", "app")
    assert answer["Provider"].endswith(f":oidc-provider/{certified.name}")
    place.house.iam(Keys.of(answer["Credentials"])).list_roles(MaxItems=1)


@pytest.mark.parametrize("algorithm", ["PS256", "EdDSA"])
def test_token_by_another_algorithm_is_refused(place, certified, robot, algorithm):
    with refused("InvalidIdentityToken", ALGORITHM):
        place.assume(robot, certified.robot(algorithm))


def test_id_token_of_somebody_who_signed_in(place, certified):
    role = place.role(certified, "app", "alice")
    assert place.assume(role, certified.person("alice"))["SubjectFromWebIdentityToken"] == "alice"
    with refused("AccessDenied"):
        place.assume(role, certified.person("bob"))
    with refused("AccessDenied"):
        place.assume(role, certified.robot("RS256"))


def test_new_keys_are_found_without_anybodys_doing_and_old_ones_end(place, certified, robot):
    old, before = certified.robot("ES256"), certified.keys()
    place.assume(robot, old)
    certified.rotate()
    assert not set(before) & set(certified.keys())
    # A provider is asked for a key that nobody knows a few times a minute at most, so this may take its turn.
    until(lambda: place.assume(robot, certified.robot("ES256")))
    place.assume(robot, certified.robot("RS256"))
    # What the provider no longer publishes counts no longer.
    with refused(NO_KEY):
        place.assume(robot, old)


def test_keys_that_are_known_count_while_the_provider_is_down(place, certified, robot):
    provider = f"arn:aws:iam::{place.home.id}:oidc-provider/{certified.name}"
    tokens = [certified.robot("RS256"), certified.robot("ES384")]
    certified.rotate()
    unknown = certified.robot("RS256")
    assert place.server.provider_metrics(provider)[1] == 0
    assert "provider:" not in place.server.admin("/readyz")[1]
    certified.stop()

    def ready():
        """The lines of `/readyz` by what they are about, once it tells of the provider."""
        # Asked a moment ago or gone, the caller is told to try again. Asked again it is after twenty seconds.
        with refused("IDPCommunicationError", UNREACHABLE, 400):
            place.assume(robot, unknown)
        status, text = place.server.admin("/readyz")
        lines = [line.partition(": ") for line in text.splitlines()]
        return [line for line in lines if line[0] == "provider"] and (status, lines)

    for token in tokens:
        place.assume(robot, token)
    status, lines = until(ready)
    # The node is as good as any other: whoever another provider vouches for, or nobody, finds everything in order.
    assert (status, [what for what, _, _ in lines]) == (200, ["store", "store", "audit", "provider"])
    assert re.fullmatch(rf"{re.escape(provider)} has not given what it was asked for since [-\d]+T[:\d]+Z", lines[-1][2])
    for token in tokens:
        place.assume(robot, token)
    age, failing = place.server.provider_metrics(provider)
    assert age >= 20 and 1 <= failing < age
    reason = "keys of an identity provider could not be fetched"
    assert [line for line in place.server.stderr().splitlines() if reason in line and provider in line]
    with refused("IDPCommunicationError", UNREACHABLE, 400):
        place.assume(robot, unknown)


# --- Kubernetes -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pod(place, cluster):
    return place.role(cluster, "sts.amazonaws.com", POD)


def projected(cluster, subject=POD, **more):
    """A token as the kubelet writes it into a pod's volume."""
    _, _, namespace, account = subject.split(":")
    bound = {
        "namespace": namespace,
        "node": {"name": "node-1", "uid": str(uuid.uuid4())},
        "pod": {"name": f"{account}-7d9c", "uid": str(uuid.uuid4())},
        "serviceaccount": {"name": account, "uid": str(uuid.uuid4())},
        "warnafter": 1_800_000_000,
    }
    said = {"aud": ["sts.amazonaws.com"], "sub": subject, "kubernetes.io": bound, "jti": str(uuid.uuid4()), **more}
    claims = cluster.claims(**said)
    return cluster.keys[-1].sign({**claims, "nbf": claims["iat"]}, typ=None)


def variables(server, file, role):
    """What the webhook of AWS puts into a pod."""
    return {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_ARN": role,
        "AWS_ENDPOINT_URL_STS": server.endpoint,
        "AWS_ENDPOINT_URL_IAM": server.endpoint,
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def test_pod_finds_its_session_with_boto3_and_again_when_the_token_was_rotated(place, cluster, pod, tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(projected(cluster), encoding="ascii")
    for known, value in variables(place.server, file, pod).items():
        monkeypatch.setenv(known, value)
    first = boto3.Session().client("sts").get_caller_identity()["Arn"]
    assert ":assumed-role/" in first and first.startswith(f"arn:aws:sts::{place.home.id}:")
    # The kubelet renames a new file over the old one.
    others = projected(cluster, "system:serviceaccount:shop:other")
    for token, code in ((others, "AccessDenied"), ("an.old.token", "InvalidIdentityToken")):
        (tmp_path / "next").write_text(token, encoding="ascii")
        (tmp_path / "next").rename(file)
        with pytest.raises(Exception, match=f"(?i){code}"):
            boto3.Session().client("sts").get_caller_identity()
    file.write_text(projected(cluster), encoding="ascii")
    session = boto3.Session()
    session.client("iam").list_roles(MaxItems=1)
    again = session.client("sts").get_caller_identity()["Arn"]
    assert again.rpartition("/")[0] == first.rpartition("/")[0]


def test_pod_finds_its_session_with_the_cli(place, cluster, pod, tmp_path):
    file = tmp_path / "token"
    given = cli.environment(place.server, **variables(place.server, file, pod), AWS_ROLE_SESSION_NAME="pod")
    # Somebody's script may have ended the line.
    for token in (projected(cluster), projected(cluster) + "\n"):
        file.write_text(token, encoding="ascii")
        done = cli.run("sts", "get-caller-identity", given=given)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["Arn"].endswith("/pod")
    file.write_text(projected(cluster, "system:serviceaccount:shop:other"), encoding="ascii")
    done = cli.run("sts", "get-caller-identity", given=given)
    assert done.returncode != 0 and "(AccessDenied)" in done.stderr, done.stderr


PROFILE = """\
[profile deploy]
role_arn = {role}
role_session_name = build-42
web_identity_token_file = {file}
region = us-east-1
services = daypass

[profile further]
role_arn = {next}
role_session_name = further
source_profile = deploy
region = us-east-1
services = daypass

[services daypass]
sts =
  endpoint_url = {endpoint}
"""


def test_profile_of_the_documentation_and_one_upon_it(place, cluster, pod, tmp_path, monkeypatch):
    (tmp_path / "token").write_text(projected(cluster), encoding="ascii")
    further = place.home.role(trust(pod))["Arn"]
    place.home.iam.put_role_policy(RoleName=pod.rpartition("/")[2], PolicyName="further", PolicyDocument=allow("sts:AssumeRole"))
    told = {"role": pod, "file": tmp_path / "token", "next": further, "endpoint": place.server.endpoint}
    (tmp_path / "config").write_text(PROFILE.format(**told), encoding="utf-8")
    given = cli.environment(place.server, AWS_CONFIG_FILE=str(tmp_path / "config"))
    del given["AWS_ENDPOINT_URL_STS"]
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for profile, name in (("deploy", "/build-42"), ("further", "/further")):
        assert boto3.Session(profile_name=profile).client("sts").get_caller_identity()["Arn"].endswith(name)
        done = cli.run("sts", "get-caller-identity", "--profile", profile, given=given)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["Arn"].endswith(name)


@pytest.mark.parametrize(
    "claims,code",
    [
        ({"subject": "system:serviceaccount:bank:checkout"}, "AccessDenied"),
        ({"aud": ["https://kubernetes.default.svc"]}, "InvalidIdentityToken"),
        ({"aud": ["sts.amazonaws.com", "https://kubernetes.default.svc"]}, "InvalidIdentityToken"),
        ({"iss": "http://127.0.0.1:1/id/0123456789ABCDEF"}, "InvalidIdentityToken"),
    ],
)
def test_token_of_another_pod_audience_or_cluster_is_refused(place, cluster, pod, claims, code):
    with refused(code):
        place.assume(pod, projected(cluster, **claims))
    answer = place.assume(pod, projected(cluster))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == (POD, "sts.amazonaws.com")


def test_cluster_rotates_its_key(place, cluster, pod):
    old = projected(cluster)
    place.assume(pod, old)
    cluster.keys.append(Key("second"))
    until(lambda: place.assume(pod, projected(cluster)))
    # Both are published for as long as tokens by the old one live.
    place.assume(pod, old)
