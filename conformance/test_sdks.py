"""The AWS SDKs for JavaScript and for Rust, each in tests of its own language: `javascript/*.test.js`, which Node's runner
runs, and `rust/tests/sts.rs`. Every test in there is a test here, under its name and with what it said when it failed.

`cargo xtask test` installs the one and builds the other: DAYPASS_NODE_MODULES and DAYPASS_RUST_SDK_TESTS say where they are.
"""

import json
import os
import pathlib
import re
import secrets
import string
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from support.client import ALLOW_ALL, REGION, Account, House, allow, trust
from support.issuer import Issuer
from support.phone import Phone
from support.saml import HandMade, form
from support.server import Server, clean_environment
from support.signing import Request
from support.vouched import SamlProvider

HERE = pathlib.Path(__file__).resolve().parent
JAVASCRIPT = HERE / "javascript"
RUST = HERE / "rust" / "tests" / "sts.rs"
# Where a server wants one region.
ELSEWHERE = "eu-central-1"


def found(pattern, *files):
    """The tests that are written in these files."""
    return [name for file in files for name in re.findall(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)]


IN_JAVASCRIPT = found(r'^test\("([^"]+)"', *sorted(JAVASCRIPT.glob("*.test.js")))
IN_RUST = found(r"^#\[tokio::test\]\nasync fn (\w+)\(", RUST)


def place(variable):
    """What `cargo xtask test` made ready."""
    given = os.environ.get(variable)
    assert given, f"{variable} is not set: `cargo xtask test` makes this client ready, and says what it lacks for that"
    return given


@pytest.fixture(scope="module")
def regional(environment, tmp_path_factory):
    """A server whose STS takes requests for one region only."""
    server = Server(tmp_path_factory.mktemp("regional"), "--sts-region", ELSEWHERE)
    yield server
    assert server.stop() == 0


def variables(server, keys, **more):
    """What a program of the SDK has in its environment, and nothing of this machine."""
    kept = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED")
    return {
        **clean_environment(),
        **{name: os.environ[name] for name in kept},
        "AWS_ENDPOINT_URL_STS": server.endpoint,
        "AWS_ENDPOINT_URL_IAM": server.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": keys.id,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        **more,
    }


@pytest.fixture(scope="module")
def federated(environment, tmp_path_factory):
    """A server with a provider of either kind, a role for each, and what a client brings: a file and a response."""
    folder = tmp_path_factory.mktemp("federated")
    issuer, idp = Issuer(), HandMade(folder)
    server = Server(folder, "--allow-insecure-issuer", issuer.url)
    home = Account(House(server), server.root_keys())
    made = home.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])
    alice = {"StringEquals": {f"{issuer.name}:sub": "alice"}}
    document = trust({"Federated": made["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity", alice)
    web, saml = home.role(document, allow("*"), prefix="web"), SamlProvider(home, idp.metadata()).role()
    token = folder / "token"
    token.write_text(issuer.token(), encoding="ascii")
    yield {
        "ENDPOINT": server.endpoint,
        "ISSUER": issuer.url,
        "ROLE": web["Arn"],
        "TOKEN_FILE": str(token),
        "EXPIRED_TOKEN": issuer.token(exp=1),
        "SAML_ROLE": saml.arn,
        "SAML_PROVIDER": saml.provider,
        "SAML_ISSUER": idp.entity,
        # Good for five minutes, so the run follows at once.
        "SAML_RESPONSE": form(idp.signed(saml)),
    }
    issuer.close()
    assert server.stop() == 0


# --- JavaScript: one run of Node's runner, a report for each test ----------------------------------------


@pytest.fixture(scope="module")
def javascript(server, home, regional, federated):
    """{test: what it said when it failed, or None} and all that the runner printed."""
    root = regional.root_keys()
    environment = variables(
        server,
        home.keys,
        NODE_PATH=place("DAYPASS_NODE_MODULES"),
        NODE_NO_WARNINGS="1",
        DAYPASS_REGIONAL_ENDPOINT=regional.endpoint,
        DAYPASS_REGIONAL_REGION=ELSEWHERE,
        DAYPASS_REGIONAL_ACCESS_KEY_ID=root.id,
        DAYPASS_REGIONAL_SECRET_ACCESS_KEY=root.secret,
        **{f"DAYPASS_FEDERATED_{name}": value for name, value in federated.items()},
    )
    files = [file.name for file in sorted(JAVASCRIPT.glob("*.test.js"))]
    command = ["node", "--test", "--test-reporter=junit", *files]
    done = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, env=environment, timeout=300)
    results = {}
    for case in ElementTree.fromstring(done.stdout).iter("testcase"):
        wrong = [child for child in case if child.tag in ("failure", "error", "skipped")]
        said = "\n".join(f"{child.tag}: {child.get('message', '')}\n{child.text or ''}" for child in wrong)
        results.setdefault(case.get("name"), []).append(said)
    return results, f"{done.stdout}{done.stderr}", done.returncode


@pytest.mark.parametrize("name", IN_JAVASCRIPT)
def test_javascript(javascript, name):
    results, printed, _ = javascript
    assert name in results, f"it was not run: {printed}"
    [said] = results[name]
    assert not said, said


def test_every_javascript_test_is_counted_once(javascript):
    results, printed, code = javascript
    assert sorted(results) == sorted(IN_JAVASCRIPT) and len(IN_JAVASCRIPT) > 20, printed
    assert (code == 0) == (not any(said for [said] in results.values())), printed


# --- Rust: STS alone, so this makes for each test whom it needs ------------------------------------------


@pytest.fixture
def furnished(server, home, regional, tmp_path):
    """A user with every right, roles, a device, a session that is over, a denial: the environment of one test."""
    user = home.user(json.dumps(ALLOW_ALL), prefix="rust")
    trusts = trust(home.root_arn, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
    role, following = home.role(trusts, allow("sts:*")), home.role(trusts)
    with_code = home.role(trust(home.root_arn, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    over = user.assume(role, "over")
    home.daypass.revoke_session(SessionId=session_id(home, over))
    (tmp_path / "credentials").write_text(
        f"[ada]\naws_access_key_id = {user.keys.id}\naws_secret_access_key = {user.keys.secret}\n", encoding="utf-8"
    )
    (tmp_path / "config").write_text(
        f"[profile worker]\nrole_arn = {role['Arn']}\nsource_profile = ada\nrole_session_name = profiled\n", encoding="utf-8"
    )
    denied = home.user(prefix="denied")
    phone, root = Phone.of(user), regional.root_keys()
    told = {
        "ACCOUNT": home.id,
        "USER_ARN": user.arn,
        "ROLE": role["Arn"],
        "NEXT_ROLE": following["Arn"],
        "MFA_ROLE": with_code["Arn"],
        "MFA_SERIAL": phone.serial,
        "MFA_CODE": phone.code(),
        "LETTERS": "".join(secrets.choice(string.ascii_letters) for _ in range(50 * 256)),
        "DENIED_ARN": denied.arn,
        "ENCODED_MESSAGE": denial(home, denied),
        "ENDED_ID": over.id,
        "ENDED_SECRET": over.secret,
        "ENDED_TOKEN": over.token,
        "REGIONAL_ENDPOINT": regional.endpoint,
        "REGIONAL_REGION": ELSEWHERE,
        "REGIONAL_ID": root.id,
        "REGIONAL_SECRET": root.secret,
    }
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    return variables(server, user.keys, **files, **{f"DAYPASS_TEST_{name}": value for name, value in told.items()})


def session_id(home, keys):
    """The id of the session with these keys."""
    rows = home.daypass.list_sessions(AccessKeyId=keys.id)["Sessions"]
    return next(row["SessionId"] for row in rows if row["AccessKeyId"] == keys.id)


def denial(home, user):
    """The encoded message of a request of this user that was denied."""
    request = Request("shelf.example.test", "GET", "/a").sign(user.keys, service="s3").described()
    asked = {"Request": request, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shelf/a"}
    return home.daypass.check_request(**asked)["EncodedAuthorizationMessage"]


@pytest.mark.parametrize("name", IN_RUST)
def test_rust(furnished, name):
    command = [place("DAYPASS_RUST_SDK_TESTS"), name, "--exact", "--nocapture", "--color=never"]
    done = subprocess.run(command, capture_output=True, text=True, env=furnished, timeout=120)
    printed = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0 and "1 passed; 0 failed" in printed, printed


def test_every_rust_test_is_counted():
    command = [place("DAYPASS_RUST_SDK_TESTS"), "--list", "--format=terse"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=120)
    assert sorted(done.stdout.split("\n")) == sorted(["", *(f"{name}: test" for name in IN_RUST)]), done.stderr
    assert len(IN_RUST) > 10
