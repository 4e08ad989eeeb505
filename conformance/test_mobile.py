"""examples/mobile-web-identity: a phone with a provider's token, a role with one policy for everybody, and each has a place of its
own in examples/bucket.

AWS sources: "OIDC federation" and "IAM policy elements: Variables and tags" in the IAM User Guide.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import threading

import botocore.exceptions
import pytest

from support import cli
from support.bucket import BucketService
from support.client import Account, House, name, policy, refused, statement, trust
from support.issuer import Issuer, Key
from support.secrets import hold
from support.server import ROOT, Server
from support.trap import Trap

EXAMPLE = ROOT / "examples" / "mobile-web-identity"
sys.path.insert(0, str(EXAMPLE))

import mobile


class Place:
    """A server that may ask the provider, a bucket behind it, and the role of the README, made as it says."""

    def __init__(self, folder, issuer_url):
        self.server = Server(folder, "--allow-insecure-issuer", issuer_url)
        self.issuer_url, self.folder = issuer_url, folder
        self.home = Account(House(self.server), self.server.root_keys())
        made = name("bucket")
        resources = [f"arn:aws:s3:::{made}", f"arn:aws:s3:::{made}/*"]
        keeper = self.home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
        self.bucket = BucketService(folder, made, self.server.endpoint, keeper.keys)
        self.blocks = re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
        self.role = f"arn:aws:iam::{self.home.id}:role/phone"
        done = self.shell(self.blocks[2])
        assert done.returncode == 0, done.stderr

    def shell(self, script):
        """A script of the README, in the folder of its programs or another, as the root user."""
        keys = {"AWS_ACCESS_KEY_ID": self.home.keys.id, "AWS_SECRET_ACCESS_KEY": self.home.keys.secret}
        tools = [os.path.dirname(sys.executable), os.path.dirname(os.environ.get("DAYPASS_AWS_CLI", "")), os.environ["PATH"]]
        given = {**cli.environment(self.server), **keys, "ISSUER": self.issuer_url, "PATH": ":".join(filter(None, tools))}
        script = re.sub(r"(?m)^export .*$", "", script).replace("mybucket", self.bucket.bucket)
        program = f"{EXAMPLE}/mobile.py --endpoint {self.bucket.endpoint} --bucket {self.bucket.bucket}"
        script = script.replace("./mobile.py", program)
        where = {"cwd": self.folder, "env": given}
        return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=120, check=False, **where)

    def another_role(self, known, issuer):
        """One with the same policy, for every token of the provider."""
        provider = f"arn:aws:iam::{self.home.id}:oidc-provider/{issuer.name}"
        equal = {"StringEquals": {f"{issuer.name}:aud": "app"}}
        document = trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", equal)
        made = self.home.iam.create_role(RoleName=known, AssumeRolePolicyDocument=document)["Role"]
        same = self.home.iam.get_role_policy(RoleName="phone", PolicyName="home")["PolicyDocument"]
        self.home.iam.put_role_policy(RoleName=known, PolicyName="home", PolicyDocument=json.dumps(same))
        return made["Arn"]

    def stop(self):
        self.bucket.stop()
        assert self.server.stop() == 0


@pytest.fixture(scope="module")
def issuer(environment):
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(environment, issuer, tmp_path_factory):
    made = Place(tmp_path_factory.mktemp("daypass-mobile"), issuer.url)
    yield made
    made.stop()


@pytest.fixture
def phone(place, issuer, monkeypatch):
    """A phone on which somebody is signed in."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", place.server.endpoint)

    def signed_in(sub="alice", role=None, token=None, **more):
        def fresh():
            made = issuer.token(sub=sub)
            hold("WebIdentityToken", made)
            return made

        return mobile.Phone(token or fresh, role or place.role, **more)

    return signed_in


def home_of(place, phone):
    return mobile.Home(phone, place.bucket.endpoint, place.bucket.bucket)


def refused_everywhere(place, home, prefix):
    """Not one of the operations is allowed there."""
    at = {"Bucket": place.bucket.bucket, "Key": f"{prefix}secret"}
    for call, asked in [
        (home.s3.get_object, at),
        (home.s3.put_object, {**at, "Body": b"no"}),
        (home.s3.delete_object, at),
        (home.s3.list_objects_v2, {"Bucket": place.bucket.bucket, "Prefix": prefix}),
    ]:
        with refused("AccessDenied", status=403):
            call(**asked)


def test_the_readme_works_as_it_is_written(environment, tmp_path):
    """With its own provider, whose address is known before daypass starts."""
    provider = subprocess.Popen([sys.executable, "provider.py", "alice", "bob"], cwd=EXAMPLE, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, provider.kill)
    watchdog.start()
    try:
        url = provider.stdout.readline().strip()
        watchdog.cancel()
        place = Place(tmp_path, url)
        try:
            done = place.shell(place.blocks[3])
            assert (done.returncode, done.stdout) == (0, "greeting\n"), done.stderr
            assert (place.bucket.objects / "home/alice/greeting").read_text() == "hello\n"
            nobody = place.shell(place.blocks[3].replace("./mobile.py", "./mobile.py --endpoint http://127.0.0.1:1"))
            assert nobody.returncode == 1 and nobody.stderr.startswith("Could not connect to the endpoint URL")
            bob = place.shell(place.blocks[3].replace("token/alice", "token/bob").replace("hello", "of bob"))
            assert bob.returncode == 0, bob.stderr
            assert (place.bucket.objects / "home/alice/greeting").read_text() == "hello\n"
            assert (place.bucket.objects / "home/bob/greeting").read_text() == "of bob\n"
        finally:
            place.stop()
    finally:
        provider.terminate()
        provider.communicate(timeout=30)
    assert provider.returncode == 0


def test_each_has_a_place_and_nobody_elses(place, phone):
    alice, bob = home_of(place, phone("alice")), home_of(place, phone("bob"))
    alice.put("secret", b"of alice")
    bob.put("secret", b"of bob")
    assert (alice.get("secret"), bob.get("secret")) == (b"of alice", b"of bob")
    assert alice.names() == bob.names() == ["secret"]
    for prefix in ("home/alice/", "home/alicex/", "home/", "", "home/*/", "other/"):
        refused_everywhere(place, bob, prefix)
    assert alice.get("secret") == b"of alice"


@pytest.mark.parametrize("sub", ["*", "?????", "a*", "${aws:userid}", "${*}", "ALICE", "alice.", "user|0a9ca356"])
def test_what_stands_in_a_sub_means_itself(place, phone, sub):
    home_of(place, phone("alice")).put("secret", b"of alice")
    stranger = home_of(place, phone(sub))
    stranger.put("secret", b"of somebody")
    assert stranger.get("secret") == b"of somebody" and stranger.names() == ["secret"]
    for prefix in ("home/alice/", "home/x/", "home/ab/"):
        refused_everywhere(place, stranger, prefix)
    assert (place.bucket.objects / "home" / sub / "secret").read_bytes() == b"of somebody"


@pytest.mark.parametrize("sub", ["alice/photos", "../alice", "/", "alice/", "", ".", ".."])
def test_a_sub_that_would_be_a_place_within_anothers_gets_no_session(place, phone, sub):
    with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", status=403):
        phone(sub).exchange()


def test_without_that_condition_it_would_be_within_anothers(place, phone, issuer):
    """Why the README's trust policy asks for it."""
    role = place.another_role("careless", issuer)
    home_of(place, phone("alice/photos", role=role)).put("secret", b"of another")
    assert "photos/secret" in home_of(place, phone("alice")).names()


@pytest.mark.parametrize(
    "claims,code",
    [
        ({"aud": "stranger"}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
        ({"iss": "http://127.0.0.1:1/realm"}, "InvalidIdentityToken"),
    ],
)
def test_a_token_for_another_or_of_the_past_is_refused(place, phone, issuer, claims, code):
    with refused(code):
        phone(token=lambda: issuer.token(**claims)).exchange()


def test_a_forged_token_is_refused(place, phone, issuer):
    with refused("InvalidIdentityToken"):
        phone(token=lambda: Key("first").sign(issuer.claims())).exchange()


def test_a_token_goes_past_the_proxy_of_the_environment(place, phone, issuer, monkeypatch):
    """On its way from the provider and on to daypass, where both are on this machine and without TLS."""
    monkeypatch.setattr(issuer, "documents", lambda: {f"{issuer.path}/token": {"id_token": issuer.token()}, **Issuer.documents(issuer)})
    trap = Trap()
    try:
        for known, value in trap.environment.items():
            monkeypatch.setenv(known, value)
        given = phone(token=mobile.from_url(f"{issuer.url}/token")).exchange()
    finally:
        trap.close()
    hold("SecretAccessKey", given["secret_key"])
    assert trap.seen == []


class Moved:
    """A phone's clock."""

    def __init__(self):
        self.ahead = datetime.timedelta(0)

    def __call__(self):
        return datetime.datetime.now(datetime.timezone.utc) + self.ahead


def test_it_renews_before_the_end_with_a_new_token(place, phone, issuer):
    taken, clock = [], Moved()

    def token():
        taken.append(issuer.token(jti=str(len(taken))))
        return taken[-1]

    home = home_of(place, phone(token=token, clock=clock))
    used = []
    home.s3.meta.events.register("before-send", lambda request, **_: used.append(request.headers["X-Amz-Security-Token"]))
    for minutes, tokens in [(0, 1), (44, 1), (46, 2)]:
        clock.ahead = datetime.timedelta(minutes=minutes)
        home.put("diary", b"on and on")
        assert len(taken) == tokens, minutes
    assert used[0] == used[1] != used[2] and taken[0] != taken[1]


def test_a_provider_that_is_away_shortly_before_the_end_is_waited_for(place, phone, issuer):
    clock, away = Moved(), []

    def token():
        if away:
            raise OSError("no answer")
        return issuer.token()

    home = home_of(place, phone(token=token, clock=clock))
    away.append(True)
    clock.ahead = datetime.timedelta(minutes=46)
    home.put("diary", b"what there is still counts")
    clock.ahead = datetime.timedelta(minutes=52)
    with pytest.raises(OSError, match="no answer"):
        home.put("diary", b"not for long")
    away.clear()
    home.put("diary", b"and it is back")


def test_somebody_else_on_the_same_phone_is_not_taken_for_the_first(place, phone, issuer):
    clock, who = Moved(), ["alice"]
    home = home_of(place, phone(token=lambda: issuer.token(sub=who[0]), clock=clock))
    who[0] = "bob"
    clock.ahead = datetime.timedelta(minutes=55)
    with pytest.raises(RuntimeError, match="somebody else"):
        home.put("diary", b"bob's")
    refused_everywhere(place, home_of(place, phone("bob")), "home/alice/")


def test_a_role_ends_its_phones(place, phone, issuer):
    role = place.another_role("ending", issuer)
    home = home_of(place, phone("carol", role=role))
    home.put("diary", b"")
    place.home.daypass.revoke_session(PrincipalArn=role)
    with pytest.raises(botocore.exceptions.ClientError, match="ExpiredToken"):
        home.put("diary", b"")
