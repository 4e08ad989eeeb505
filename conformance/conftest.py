"""Fixtures: one server for the whole run, two accounts, and whoever a test needs.

Tests share the server, so each makes its own users and roles under names nobody used.
"""

import collections
import json
import os
import subprocess

import pytest

from support import cli
from support.browser import Browser
from support.client import ALLOW_ALL, MODELS, Account, House
from support.oidc_provider import OidcProvider
from support.secrets import hold_in
from support.server import Server, binary


# A service that the first account runs.
SERVICE = "scheduler.internal"


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory):
    """No settings of the machine, and our own API model where boto3 looks."""
    for known in [known for known in os.environ if known.startswith("AWS_")]:
        del os.environ[known]
    nowhere = tmp_path_factory.mktemp("aws") / "none"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(nowhere)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_DATA_PATH"] = MODELS


@pytest.fixture(scope="session")
def server(environment, tmp_path_factory):
    assert os.path.exists(binary()), f"{binary()} is not there: cargo build -p daypass-server"
    # What it writes is searched for secrets in the end (test_secrets.py).
    account = "640112233445"
    arguments = ["--log", "trace,hyper=trace,h2=trace", "--audit-stdout", "--service", f"{SERVICE}={account}"]
    environment = {"DAYPASS_ACCOUNT_ID": account}
    server = Server(tmp_path_factory.mktemp("daypass"), *arguments, environment=environment)
    yield server
    code = server.stop()
    assert code == 0, f"the server ended with {code}"


@pytest.fixture(scope="session")
def house(server):
    return House(server)


@pytest.fixture(scope="session")
def home(house, server):
    """The account of the first start."""
    return Account(house, server.root_keys())


@pytest.fixture(scope="session")
def other(house, server):
    """A second account, made at the operator door while the server runs."""
    return Account(house, server.create_account())


@pytest.fixture(scope="session")
def admin(home):
    """A user who may do everything."""
    return home.user(json.dumps(ALLOW_ALL), prefix="admin")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A folder with a certificate for 127.0.0.1 in `cert.pem`, signed by `ca.pem`, and its key in `key.pem`."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    openssl("req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=daypass")
    (folder / "extensions").write_text("subjectAltName = IP:127.0.0.1\n")
    made = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions", "-out", "cert.pem"]
    openssl("x509", "-req", "-in", "request.pem", *made)
    (folder / "key.pem").chmod(0o600)
    return folder


@pytest.fixture(scope="session")
def secure(environment, authority, tmp_path_factory):
    """A server that speaks TLS."""
    folder = tmp_path_factory.mktemp("daypass-tls")
    server = Server(folder, "--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem"))
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def browser(server):
    """Chromium, for whoever asks for it."""
    browser = Browser(server)
    yield browser
    assert browser.stop() == 0, browser.said


@pytest.fixture(scope="module")
def certified(environment):
    """npm's `oidc-provider`, which a file has for itself: its keys may be others in the end."""
    provider = OidcProvider()
    yield provider
    provider.stop()


@pytest.fixture
def aws(server):
    """The AWS CLI: `aws("iam", "list-users", keys=…)` gives what it printed, read as JSON. It may ask for what is
    `typed`: it has no terminal of its own, so it reads that from its standard input."""

    def run(*arguments, keys, check=True, typed=""):
        done = cli.run(*arguments, given=cli.environment(server, keys), typed=typed)
        if not check:
            return done
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        answer = json.loads(done.stdout) if done.stdout.strip() else None
        hold_in(answer)
        return answer

    return run


def pytest_collection_modifyitems(items):
    """The test that ends the server and reads what it wrote comes last."""
    items.sort(key=lambda item: item.name == "test_the_suite_at_trace_level_leaves_no_secret_in_any_output")


# --- the report that `cargo xtask test` reads: file, passed, failed, skipped, seconds -------------------

RESULTS = collections.defaultdict(lambda: [0, 0, 0, 0.0])


def pytest_runtest_logreport(report):
    row = RESULTS[os.path.basename(report.fspath)]
    row[3] += report.duration
    if report.when == "call" and report.passed:
        row[0] += 1
    elif report.failed:
        row[1] += 1
    elif report.skipped:
        row[2] += 1


def pytest_collectreport(report):
    if report.failed:
        RESULTS[os.path.basename(str(report.fspath or "collection"))][1] += 1


def pytest_sessionfinish():
    path = os.environ.get("DAYPASS_REPORT")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            for known, (passed, failed, skipped, seconds) in sorted(RESULTS.items()):
                file.write(f"{known}\t{passed}\t{failed}\t{skipped}\t{seconds:.3f}\n")
