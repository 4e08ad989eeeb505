"""examples/token-vending-machine within the test's own process, so that its clock can be moved, and asked without its client.

Whoever tests it imports the fixtures `bucket`, `owner`, `make` and `tvm` from here.
"""

import functools
import http.client
import json
import re
import secrets
import sys
import threading
import time
import urllib.parse

import botocore.exceptions
import pytest

from .bucket import BucketService
from .client import name, policy, statement
from .secrets import hold
from .server import ROOT, Keys

EXAMPLE = ROOT / "examples" / "token-vending-machine"
sys.path.insert(0, str(EXAMPLE))

import crypto
import devices
import machine
import vending

HOST, APPLICATION = "tvm.example.com", "MyMobileAppName"
PASSWORD = "correct horse battery staple, and more"


class Moved:
    """A clock that goes as the real one does, `ahead` seconds away from it."""

    def __init__(self):
        self.ahead = 0

    def __call__(self):
        return time.time() + self.ahead

    def iso(self, seconds=0):
        """The time as a client of the machine writes it."""
        return machine_time(self() + seconds)


def machine_time(moment):
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1e6):06d}Z"


class Service:
    """One machine on a free port. `sts` is the client of its own user, `proxies` whom it believes."""

    def __init__(self, folder, sts, bucket, **more):
        self.clock, self.path = Moved(), folder / "devices.sqlite"
        self.devices = devices.Devices(self.path)
        proxies = more.pop("proxies", ())
        template = more.pop("template", None) or (EXAMPLE / "policy.json").read_text(encoding="utf-8")
        named = {"bucket": bucket, "application": APPLICATION, "host": HOST, "clock": self.clock}
        self.machine = vending.Machine(self.devices, sts, template, **{**named, **more})
        self.server = machine.Server(("127.0.0.1", 0), self.machine, proxies=proxies)
        self.url = self.server.url
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=30)

    def ask(self, path, method="POST", headers=None, **asked):
        """Status, text, and the fields of the answer."""
        form = urllib.parse.urlencode(asked)
        return self.send(method, path if method == "POST" else f"{path}?{form}", form if method == "POST" else None, headers)

    def send(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def prove(self, path, key, timestamp=None, **asked):
        """The same, signed with a key at the machine's present time."""
        timestamp = timestamp or self.clock.iso()
        return self.ask(path, timestamp=timestamp, signature=crypto.sign(key, timestamp), **asked)

    def token(self, uid, key, **more):
        """Only the status."""
        return self.prove("/gettoken", key, uid=uid, **more)[0]


def salted(username, password):
    return crypto.salted_hash(username, password, APPLICATION, HOST)


@pytest.fixture(scope="module")
def bucket(home, server, tmp_path_factory):
    made = name("bucket")
    resources = [f"arn:aws:s3:::{made}", f"arn:aws:s3:::{made}/*"]
    keeper = home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
    service = BucketService(tmp_path_factory.mktemp("bucket"), made, server.endpoint, keeper.keys)
    yield service
    service.stop()


@pytest.fixture(scope="module")
def owner(home, bucket):
    """The machine's own user, with the policy of the README."""
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    (document,) = re.findall(r"vending\.json <<'JSON'\n(.*?)JSON\n", text, re.DOTALL)
    return home.user(document.replace("mybucket", bucket.bucket), prefix="vending")


@pytest.fixture
def make(owner, bucket, tmp_path):
    """Machines of this test; they share what is remembered."""
    made = []

    def machine(**more):
        made.append(Service(tmp_path, more.pop("sts", owner.sts), bucket.bucket, **more))
        return made[-1]

    yield machine
    for service in made:
        service.close()


@pytest.fixture
def tvm(make):
    return make()


def device(tvm, uid=None):
    """uid and key of a device that registered itself."""
    uid, key = uid or secrets.token_hex(16), crypto.new_key()
    assert tvm.ask("/registerdevice", uid=uid, key=key)[:2] == (200, "")
    return uid, key


def keys_of(tvm, uid, key, **more):
    """The keys in the answer of the machine."""
    status, sealed, _ = tvm.prove("/gettoken", key, uid=uid, headers={"Accept": "application/json"}, **more)
    assert status == 200, sealed
    told = json.loads(crypto.unseal(key, sealed))
    hold("SecretAccessKey", told["secretKey"])
    hold("SessionToken", told["securityToken"])
    return Keys(told["accessKey"], told["secretKey"], told["securityToken"])


def logged_in(tvm, username, uid=None):
    """uid and key of a user's device."""
    uid = uid or secrets.token_hex(16)
    tvm.ask("/registeruser", username=username, password=PASSWORD)
    status, sealed, _ = tvm.prove("/login", salted(username, PASSWORD), username=username, uid=uid)
    assert status == 200
    return uid, re.fullmatch(r'\{key: "([0-9a-f]{32})"\}', crypto.unseal(salted(username, PASSWORD)[:32], sealed))[1]


def reaches(bucket, keys, place, prefix="home"):
    """Whether these keys put, get and list there; all of it or none."""
    s3, found = bucket.s3(keys), []
    at = {"Bucket": bucket.bucket, "Key": f"{prefix}/{place}/object"}
    listed = functools.partial(s3.list_objects_v2, Bucket=bucket.bucket, Prefix=f"{prefix}/{place}/")
    for call in (functools.partial(s3.put_object, Body=b"x", **at), functools.partial(s3.get_object, **at), listed):
        try:
            call()
            found.append(True)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied", error
            found.append(False)
    assert len(set(found)) == 1, found
    return found[0]
