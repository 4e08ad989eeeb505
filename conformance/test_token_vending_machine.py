"""examples/token-vending-machine: devices prove a key and reach their own place in examples/bucket, and nothing else.

Source: the token vending machine that AWS published in 2011, and "Using Temporary Security Credentials" (2012), which recommends it.
"""

import base64
import collections
import concurrent.futures
import datetime
import functools
import http.server
import json
import os
import re
import secrets
import subprocess
import sys
import threading

import botocore.exceptions
import pytest

from support import cli, vending
from support.bucket import BucketService
from support.client import allow, name, policy, refused, statement
from support.secrets import hold
from support.server import Keys, clean_environment
from support.vending import EXAMPLE, HOST, Service, copied, salted
from support.visitor import Visitor

import client as device_client
import crypto
import devices as remembered
import policy as names
import revoke

PASSWORD = "correct horse battery staple, and more"


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


# --- from end to end ------------------------------------------------------------------------------------


class Programs:
    """The README's programs in a folder of their own: the machine in a process, the client as somebody types it."""

    def __init__(self, folder, server, bucket, trusted=None):
        self.folder, self.bucket, self.trusted = copied(folder), bucket, trusted
        path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
        self.environment = {**cli.environment(server), "PATH": path}
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = None

    def start(self, keys, *more):
        command = ["./machine.py", "--bucket", self.bucket.bucket, "--host", HOST, "--listen", "127.0.0.1:0", *more]
        held = {"AWS_ACCESS_KEY_ID": keys.id, "AWS_SECRET_ACCESS_KEY": keys.secret}
        where = {"cwd": self.folder, "env": {**self.environment, **held}, "stdin": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, **where)
        watchdog = threading.Timer(60, self.process.kill)
        watchdog.start()
        said = self.process.stdout.readline()
        watchdog.cancel()
        self.url = re.fullmatch(r"listening on (https?://127\.0\.0\.1:\d+)/\n", said)[1]

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=30)
        self.log.seek(0)
        with self.log:
            return self.process.returncode, self.log.read()

    def shell(self, script, typed=None):
        where = {"cwd": self.folder, "env": self.environment, "input": typed}
        return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=120, check=False, **where)

    def client(self, script, typed=None):
        """A script as it stands in the README, with the addresses of this run."""
        here = f"./client.py --machine {self.url} --endpoint {self.bucket.endpoint} --bucket {self.bucket.bucket}"
        script = script.replace("./client.py", here + (f" --ca {self.trusted}" if self.trusted else ""))
        return self.shell(re.sub(r"(?m)^export .*$", "", script), typed)


def test_the_readme_works_as_it_is_written(home, server, bucket, owner, tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    setup, _, anonymous, with_name, lost = blocks
    programs = Programs(tmp_path, server, bucket)
    user = name("vending-machine")
    root = {"AWS_ACCESS_KEY_ID": home.keys.id, "AWS_SECRET_ACCESS_KEY": home.keys.secret}
    directory = os.path.dirname(os.environ.get("DAYPASS_AWS_CLI", ""))
    shell = {**programs.environment, **root, "PATH": f"{directory}:{programs.environment['PATH']}"}
    script = setup.replace("mybucket", bucket.bucket).replace("--user-name vending-machine", f"--user-name {user} --output json")
    made = subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=shell, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stderr
    access = json.loads(made.stdout[made.stdout.rindex('{\n    "AccessKey"') :])["AccessKey"]
    hold("SecretAccessKey", access["SecretAccessKey"])
    programs.start(Keys(access["AccessKeyId"], access["SecretAccessKey"]))
    try:
        done = programs.client(anonymous)
        assert (done.returncode, done.stdout) == (0, "greeting\nhello\n"), done.stderr
        done = programs.client(with_name)
        assert done.returncode == 0, done.stderr
        assert (bucket.objects / "home/u=grace/greeting").read_text() == "hello\n"
        printed = json.loads(programs.client("./client.py credentials").stdout)
        hold("SecretAccessKey", printed["SecretAccessKey"])
        keys = Keys(printed["AccessKeyId"], printed["SecretAccessKey"], printed["SessionToken"])
        state = json.loads((tmp_path / "device.json").read_text())
        assert reaches(bucket, keys, state["uid"])
        again = programs.client("./client.py register")
        assert again.returncode == 1 and "409" in again.stderr
        programs.environment.update(root)
        done = programs.shell(lost.replace("UID", state["uid"]))
        assert done.returncode == 0, done.stderr
        with refused("ExpiredToken", status=403):
            bucket.s3(keys).list_objects_v2(Bucket=bucket.bucket, Prefix=f"home/{state['uid']}/")
        refusal = programs.client("./client.py list")
        assert refusal.returncode == 1 and refusal.stderr == "/gettoken: 401\n"
        assert programs.client("./client.py --state phone.json list").stdout == "greeting\n", "another device"
    finally:
        code, log = programs.stop()
    assert code == 0
    for secret in (state["key"], access["SecretAccessKey"], "a long password", printed["SecretAccessKey"]):
        assert secret not in log
    assert (tmp_path / "devices.sqlite").stat().st_mode & 0o777 == 0o600 == (tmp_path / "device.json").stat().st_mode & 0o777


def test_over_tls_no_key_is_in_an_address(server, bucket, owner, authority, tmp_path):
    programs = Programs(tmp_path, server, bucket, trusted=authority / "ca.pem")
    programs.start(owner.keys, "--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem"))
    try:
        assert programs.url.startswith("https://")
        done = programs.client("./client.py register\necho hello | ./client.py put greeting\n./client.py list\n")
        assert (done.returncode, done.stdout) == (0, "greeting\n"), done.stderr
        programs.trusted = None
        stranger = programs.client("./client.py list")
        assert stranger.returncode == 1 and "CERTIFICATE_VERIFY_FAILED" in stranger.stderr
    finally:
        code, log = programs.stop()
    assert code == 0
    assert re.search(r'"?POST /registerdevice 200', log) and "uid=" not in log and "signature=" not in log, log


def test_without_tls_it_listens_for_this_machine_alone():
    command = [sys.executable, "machine.py", "--bucket", "b", "--host", HOST, "--listen", "0.0.0.0:0"]
    done = subprocess.run(command, cwd=EXAMPLE, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "go over TLS" in done.stderr


# --- the protocol ---------------------------------------------------------------------------------------


def test_a_token_in_both_modes_by_both_methods(tvm, bucket):
    uid, key = device(tvm)
    for seconds, method in enumerate(("GET", "POST")):
        status, sealed, fields = tvm.prove("/gettoken", key, tvm.clock.iso(seconds), method=method, uid=uid)
        assert status == 200 and fields["Content-Type"].startswith("text/plain") and fields["Cache-Control"] == "no-store"
        told = crypto.unseal(key, sealed)
        found = re.fullmatch(r'\{accessKey: "(\w+)", secretKey: "(\S+)", securityToken: "(\S+)", expirationDate: "(\d{13})"\}', told)
        assert 86300 < int(found[4]) / 1000 - tvm.clock() < 86401
        hold("SecretAccessKey", found[2])
    assert reaches(bucket, Keys(*found.group(1, 2, 3)), uid)
    uid, key = logged_in(tvm, "grace@example.com")
    assert reaches(bucket, keys_of(tvm, uid, key), "u=grace@example.com")
    timestamp = tvm.clock.iso(seconds=1)
    signature = crypto.sign(salted("grace@example.com", PASSWORD), timestamp)
    query = {"username": "grace@example.com", "uid": uid, "timestamp": timestamp, "signature": signature}
    assert tvm.ask("/login", "GET", **query)[0] == 200
    assert tvm.token(uid, key) == 401, "the device has a new key"


def test_the_forms_are_what_another_implementation_makes():
    key, text = "0123456789abcdef" * 2, '{key: "00"}'
    command = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", key, "-iv"]
    data = base64.b64decode(crypto.seal(key, text))
    done = subprocess.run([*command, data[:16].hex()], input=data[16:], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode() == text
    mac = ["openssl", "dgst", "-sha256", "-hmac"]
    done = subprocess.run([*mac, key], input=b"2012-01-19T00:00:00Z", capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().split()[-1] == crypto.sign(key, "2012-01-19T00:00:00Z")
    done = subprocess.run([*mac, "secret"], input=b"graceApptvm.example.com", capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().split()[-1] == crypto.salted_hash("grace", "secret", "App", "TVM.Example.com")


UID, KEY = "0123456789abcdef01234567", "00112233445566778899aabbccddeeff"
USER = {"username": "abc", "password": PASSWORD}


@pytest.mark.parametrize(
    "path,asked,status",
    [
        ("/registerdevice", {"uid": UID, "key": KEY}, 200),
        ("/registerdevice", {"uid": UID, "key": KEY.upper() * 2}, 200),
        ("/registerdevice", {"uid": UID[:23], "key": KEY}, 400),
        ("/registerdevice", {"uid": UID + "x" * 240, "key": KEY}, 400),
        ("/registerdevice", {"uid": UID + "\n", "key": KEY}, 400),
        ("/registerdevice", {"uid": UID, "key": KEY[:24]}, 400),
        ("/registerdevice", {"uid": UID, "key": KEY[:-1] + "g"}, 400),
        ("/registerdevice", {"uid": UID, "key": KEY[:-1] + "\n"}, 400),
        ("/registerdevice", {"uid": UID}, 400),
        ("/registeruser", USER, 200),
        ("/registeruser", {**USER, "username": "a.b_c@9" + "x" * 121}, 200),
        ("/registeruser", {**USER, "username": "ab"}, 400),
        ("/registeruser", {**USER, "username": "x" * 129}, 400),
        ("/registeruser", {**USER, "username": 'abc"'}, 400),
        ("/registeruser", {**USER, "username": "abc*"}, 400),
        ("/registeruser", {**USER, "username": "${aws:userid}"}, 400),
        ("/registeruser", {**USER, "username": "abc\n"}, 400),
        ("/registeruser", {**USER, "username": "äbc"}, 400),
        ("/registeruser", {**USER, "password": "12345"}, 400),
        ("/registeruser", {**USER, "password": "x" * 129}, 400),
        ("/gettoken", {"uid": UID}, 400),
        ("/login", {"uid": UID, "username": "abc"}, 400),
        ("/elsewhere", {"uid": UID}, 404),
    ],
)
def test_forms_and_statuses(make, path, asked, status):
    tvm = make(old_clients=True)
    assert tvm.ask(path, "GET", **asked)[0] == status
    again = {409: 409, 400: 400, 404: 404, 200: 409 if path == "/registerdevice" else 406}[status]
    assert tvm.ask(path, "POST", **asked)[0] == again


@pytest.mark.parametrize("method,path", [("GET", "/registerdevice"), ("POST", f"/registerdevice?uid={UID}&key={KEY}")])
def test_a_key_in_an_address_is_refused(tvm, method, path):
    address = path if "?" in path else f"{path}?uid={UID}&key={KEY}"
    assert tvm.send(method, address, "" if method == "POST" else None)[0] == 400
    assert tvm.ask("/registeruser", "GET", **USER)[0] == 400
    assert tvm.devices.device(UID) is None and tvm.devices.hash_of("abc") is None


def test_what_no_reader_should_have_to_guess_is_refused(tvm):
    form = f"uid={UID}&key={KEY}"
    assert tvm.send("POST", "/registerdevice", f"{form}&key={KEY[::-1]}")[0] == 400
    assert tvm.send("POST", f"/registerdevice?uid={UID}", form)[0] == 400
    assert tvm.send("POST", "/registerdevice", form + "&x=" + "y" * 9000)[0] == 400
    assert tvm.send("POST", "/registerdevice", form + "".join(f"&{number}=" for number in range(100)))[0] == 400
    assert tvm.send("PUT", "/registerdevice", form)[0] == 501
    assert tvm.devices.device(UID) is None


def test_there_is_an_end_to_how_many_may_register(tvm, monkeypatch):
    monkeypatch.setattr(remembered, "DEVICES_MAX", 1)
    monkeypatch.setattr(remembered, "USERS_MAX", 0)
    device(tvm)
    assert tvm.ask("/registerdevice", uid=UID, key=KEY)[0] == 503
    assert tvm.ask("/registeruser", **USER)[0] == 503


# --- attacks --------------------------------------------------------------------------------------------


def test_a_signature_counts_once_even_after_a_restart(tvm, make):
    uid, key = device(tvm)
    timestamp = tvm.clock.iso()
    assert tvm.token(uid, key, timestamp=timestamp) == 200
    assert tvm.token(uid, key, timestamp=timestamp) == 401
    assert tvm.token(uid, key, timestamp=timestamp, method="GET") == 401
    assert make().token(uid, key, timestamp=timestamp) == 401
    assert tvm.token(uid, key) == 200
    logged_in(tvm, "grace")
    timestamp, user = tvm.clock.iso(), {"username": "grace", "uid": secrets.token_hex(16)}
    assert tvm.prove("/login", salted("grace", PASSWORD), timestamp, **user)[0] == 200
    assert tvm.prove("/login", salted("grace", PASSWORD), timestamp, **{**user, "uid": secrets.token_hex(16)})[0] == 401


def test_of_those_who_send_it_at_once_one_gets_in(tvm):
    uid, key = device(tvm)
    timestamp = tvm.clock.iso()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: tvm.token(uid, key, timestamp=timestamp), range(8)))
    assert sorted(found) == [200] + [401] * 7


def test_a_timestamp_counts_for_fifteen_minutes(tvm):
    uid, key = device(tvm)
    timestamp = tvm.clock.iso()
    for ahead, status in [(895, 200), (905, 408), (-905, 408), (-895, 401), (895, 401)]:
        tvm.clock.ahead = ahead
        assert tvm.token(uid, key, timestamp=timestamp) == status, ahead
    tvm.clock.ahead = 0
    assert tvm.token(uid, key, timestamp=tvm.clock.iso(seconds=890)) == 200
    tvm.clock.ahead = 2000
    assert tvm.token(uid, key) == 200
    assert tvm.devices._read("SELECT count(*) FROM spent") == [(1,)], "what is over is forgotten"


@pytest.mark.parametrize("timestamp", ["now", "1700000000", "2026-11-28T00:00:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_408(tvm, timestamp):
    uid, key = device(tvm)
    assert tvm.token(uid, key, timestamp=timestamp) == 408


def test_a_future_timestamp_is_spent_until_its_own_time_is_over(tvm):
    uid, key = device(tvm)
    timestamp = tvm.clock.iso(seconds=890)
    assert tvm.token(uid, key, timestamp=timestamp) == 200
    tvm.clock.ahead = 1700
    other, other_key = device(tvm)
    assert tvm.token(other, other_key) == 200, "forgets what is over"
    assert tvm.token(uid, key, timestamp=timestamp) == 401


def test_only_the_devices_key_signs(tvm):
    uid, key = device(tvm)
    _, strange = device(tvm)
    timestamp = tvm.clock.iso()
    right = crypto.sign(key, timestamp)
    for signature in [crypto.sign(strange, timestamp), right.upper(), right[:-1], right + "0", "ä" * 64, crypto.sign(key, uid)]:
        assert tvm.ask("/gettoken", uid=uid, timestamp=timestamp, signature=signature)[0] == 401
    assert tvm.ask("/gettoken", uid=uid, timestamp=timestamp, signature="")[0] == 400
    assert tvm.ask("/gettoken", uid=uid, timestamp=timestamp, signature=right)[0] == 200, "what was wrong spent nothing"


def test_a_uid_or_name_that_is_taken_stays_whose_it_is(tvm, bucket):
    uid, key = device(tvm)
    assert tvm.ask("/registerdevice", uid=uid, key=KEY)[0] == 409
    assert tvm.token(uid, KEY) == 401 and tvm.token(uid, key) == 200
    mine, my_key = logged_in(tvm, "grace")
    assert tvm.ask("/registeruser", username="grace", password="another")[0] == 406
    assert tvm.ask("/registeruser", username="mallory", password=PASSWORD)[0] == 200
    for taken in (uid, mine):
        assert tvm.prove("/login", salted("mallory", PASSWORD), tvm.clock.iso(), username="mallory", uid=taken)[0] == 401
    assert tvm.token(mine, my_key) == 200 and tvm.ask("/registerdevice", uid=mine, key=KEY)[0] == 409
    # Nor does a device reach a user's place by being called like one, or like a hash.
    for uid in ("u=grace" + "x" * 17, names.federated_name("y" * 33), "u+" + names.hashed("u+", "z" * 40)[2:]):
        assert names.federated_name(uid) != uid and not reaches(bucket, keys_of(tvm, *device(tvm, uid)), uid)


def alike(answer):
    status, text, fields = answer
    return status, text, sorted((known, value) for known, value in fields.items() if known != "Date")


def test_who_is_known_is_told_to_nobody(tvm, monkeypatch):
    uid, key = device(tvm)
    lost, lost_key = device(tvm)
    tvm.devices.revoke(lost, tvm.clock())
    logged_in(tvm, "grace")
    used = tvm.clock.iso()
    assert tvm.token(uid, key, timestamp=used) == 200
    computed, sign = [], crypto.sign
    monkeypatch.setattr(crypto, "sign", lambda *given: computed.append(None) or sign(*given))
    answers, counts = [], []
    for path, whose, timestamp, asked in [
        ("/gettoken", key, tvm.clock.iso(), {"uid": "nobody knows this one here"}),
        ("/gettoken", KEY, tvm.clock.iso(), {"uid": uid}),
        ("/gettoken", lost_key, tvm.clock.iso(), {"uid": lost}),
        ("/gettoken", key, used, {"uid": uid}),
        ("/login", KEY, tvm.clock.iso(), {"uid": UID, "username": "grace"}),
        ("/login", KEY, tvm.clock.iso(), {"uid": UID, "username": "nobody"}),
        ("/login", salted("grace", PASSWORD), tvm.clock.iso(), {"uid": uid, "username": "grace"}),
    ]:
        signature = sign(whose, timestamp)
        computed.clear()
        answers.append(alike(tvm.ask(path, timestamp=timestamp, signature=signature, **asked)))
        counts.append(len(computed))
    assert answers == [answers[0]] * 7 and answers[0][:2] == (401, "")
    assert counts == [1] * 7, "as much is computed for an unknown one"


def test_guesses_end_and_nobody_else_is_shut_out(tvm):
    logged_in(tvm, "grace")
    user = {"username": "grace", "uid": secrets.token_hex(16)}
    for _ in range(10):
        assert tvm.prove("/login", salted("grace", "wrong"), tvm.clock.iso(), **user)[0] == 401
    right = salted("grace", PASSWORD)
    assert tvm.prove("/login", right, tvm.clock.iso(), **user)[0] == 401
    timestamp = tvm.clock.iso()
    elsewhere = {**user, "timestamp": timestamp, "signature": crypto.sign(right, timestamp)}
    assert tvm.machine.login(vending.vending.Asked(elsewhere, peer="192.0.2.1")).text
    assert tvm.token(*device(tvm)) == 200
    tvm.clock.ahead = 901
    assert tvm.prove("/login", right, tvm.clock.iso(), **user)[0] == 200


STRANGE = [
    'x"],"Resource":"*","Action":"s3:*","x":["',
    "*" * 24,
    "?" * 32,
    "${aws:PrincipalArn}/../../*",
    "{bucket}{name}{bucket}{name}",
    "../../../../../../../../..",
    "..........................",
    "\\" * 24 + '"',
    "ü" * 24,
    "x" * 256,
]


@pytest.mark.parametrize("uid", STRANGE, ids=range(len(STRANGE)))
def test_no_uid_gets_out_of_the_template(tvm, bucket, uid):
    other, other_key = device(tvm)
    place = names.federated_name(uid)
    assert len(place) <= 32 and re.fullmatch(r"[\w+=.-]+", place, re.ASCII)
    keys = keys_of(tvm, *device(tvm, uid))
    assert reaches(bucket, keys, place)
    for elsewhere in (other, "", f"{place}x", "x"):
        prefix = f"home/{elsewhere}/".replace("//", "/")
        for call in ("get_object", "put_object", "delete_object"):
            with refused("AccessDenied", status=403):
                getattr(bucket.s3(keys), call)(Bucket=bucket.bucket, Key=prefix + "x")
        with refused("AccessDenied", status=403):
            bucket.s3(keys).list_objects_v2(Bucket=bucket.bucket, Prefix=prefix)
    assert reaches(bucket, keys_of(tvm, other, other_key), other)


@pytest.mark.parametrize("hostile", ["*", "?", "${aws:userid}", "${*}", '"},{"', "{bucket}", "a*"])
def test_even_a_free_name_would_mean_itself_in_the_template(home, bucket, owner, hostile):
    text = names.fill((EXAMPLE / "policy.json").read_text(encoding="utf-8"), bucket=bucket.bucket, name=hostile)
    assert len(json.loads(text)["Statement"]) == 2
    keys = home.federated("hostile", text, by=owner)
    assert reaches(bucket, keys, hostile)
    for elsewhere in ("x", "ab", f"{home.id}:hostile", bucket.bucket, "*a"):
        assert not reaches(bucket, keys, elsewhere)


def test_names_are_never_shared():
    who = [(text, None) for text in STRANGE] + [(f"{number:040}", None) for number in range(2000)]
    who += [("x" * length, None) for length in range(24, 80)] + [(UID, "x" * length) for length in range(3, 129)]
    found = collections.Counter(names.federated_name(*one) for one in who)
    assert len(found) == len(set(who)) and max(map(len, found)) == 32
    assert not {found for found in found if re.search(r"[^\w+=,.@-]", found, re.ASCII)}


def test_the_machines_user_bounds_whatever_a_template_says(make, bucket):
    tvm = make(template=allow("*"))
    keys = keys_of(tvm, *device(tvm))
    assert reaches(bucket, keys, "anything") and not reaches(bucket, keys, "anything", prefix="elsewhere")


# --- an answer is the machine's -------------------------------------------------------------------------


@pytest.fixture
def between(tvm):
    """Somebody between device and machine: `change` gets body and fields of an answer and gives what the device is to see."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text, fields = tvm.send("POST", self.path, body)
            text, vouched = server.change(text, fields.get("Answer-Signature", ""))
            self.send_response(status)
            self.send_header("Answer-Signature", vouched)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(timeout=30)


def test_a_changed_or_older_answer_is_refused(between):
    seen = []
    between.change = lambda *answer: seen.append(answer) or answer
    phone = device_client.Device(between.url, secrets.token_hex(16))
    phone.register()
    hold("SecretAccessKey", phone.token()["secretKey"])
    text, vouched = seen[-1]
    for change in [
        lambda *_: (text, vouched),
        lambda text, vouched: (("B" if text[0] == "A" else "A") + text[1:], vouched),
        lambda text, vouched: (text, ""),
        lambda text, vouched: (text, vouched.upper()),
    ]:
        between.change = change
        with pytest.raises(device_client.Refused, match="not the machine's answer"):
            phone.token()


# --- a device is lost -----------------------------------------------------------------------------------


def over(bucket, keys, place):
    try:
        bucket.s3(keys).list_objects_v2(Bucket=bucket.bucket, Prefix=f"home/{place}/")
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ExpiredToken", error
        return True
    return False


@pytest.fixture(scope="module")
def operator(home):
    return home.user(allow(["daypass:ListSessions", "daypass:RevokeSession"]), prefix="operator").daypass


def test_a_revoked_device_is_over_and_the_users_others_are_not(server, tvm, bucket, operator):
    (lost, lost_key), (kept, kept_key) = logged_in(tvm, "grace"), logged_in(tvm, "grace")
    sessions = [keys_of(tvm, lost, lost_key) for _ in range(2)]
    other = keys_of(tvm, kept, kept_key)
    browser = Visitor(server)
    triple = {"sessionId": sessions[0].id, "sessionKey": sessions[0].secret, "sessionToken": sessions[0].token}
    asked = browser.post("/federation", {"Action": "getSigninToken", "Session": json.dumps(triple)})
    link = {"Action": "login", "Destination": "/console/", "SigninToken": json.loads(asked.text)["SigninToken"]}
    page = browser.post("/federation", link).location
    assert "federated-user/u=grace" in browser.get(page).text
    said = []
    assert revoke.revoke(tvm.devices, operator, lost, said.append) and said == ["revoked, with 2 sessions"]
    assert all(over(bucket, keys, "u=grace") for keys in sessions) and not over(bucket, other, "u=grace")
    assert "Your session has ended" in browser.get(page).text, "the console that was opened with them"
    assert tvm.token(lost, lost_key) == 401 and tvm.token(kept, kept_key) == 200
    assert tvm.prove("/login", salted("grace", PASSWORD), tvm.clock.iso(), username="grace", uid=lost)[0] == 401
    assert tvm.ask("/registerdevice", uid=lost, key=KEY)[0] == 409
    assert not revoke.revoke(tvm.devices, operator, "nobody's", said.append)
    assert revoke.revoke(tvm.devices, operator, lost, said.append), "and again, as one does who is not sure"


def test_sessions_end_even_where_the_log_of_sessions_knows_none(tvm, bucket, home):
    uid, key = device(tvm)
    keys = keys_of(tvm, uid, key)
    with tvm.devices._change() as base:
        base.execute("UPDATE issued SET access_key_id = 'ASIAQQQQQQQQQQQQQQQQ' WHERE uid = ?", (uid,))
    said = []
    assert revoke.revoke(tvm.devices, home.daypass, uid, said.append)
    assert len(said) == 2 and tvm.machine.issuer in said[0]
    assert over(bucket, keys, uid)


class Slow:
    """STS, during whose answer something happens."""

    def __init__(self, sts):
        self.sts, self.meanwhile = sts, lambda: None

    def get_caller_identity(self):
        return self.sts.get_caller_identity()

    def get_federation_token(self, **asked):
        answer = self.sts.get_federation_token(**asked)
        self.meanwhile()
        return answer


def test_what_is_vended_while_a_device_is_revoked_is_not_handed_out(make, owner):
    sts = Slow(owner.sts)
    tvm = make(sts=sts)
    uid, key = device(tvm)
    sts.meanwhile = lambda: tvm.devices.revoke(uid, tvm.clock())
    assert tvm.token(uid, key) == 401
    assert tvm.devices._read("SELECT count(*) FROM issued") == [(0,)]


def test_daypass_refusing_is_500_and_said_to_the_operator_alone(home, make, owner, capfd):
    tvm = make()
    uid, key = device(tvm)
    home.iam.put_user_policy(UserName=owner.name, PolicyName="no", PolicyDocument=policy(statement("sts:*", effect="Deny")))
    try:
        status, text, _ = tvm.prove("/gettoken", key, uid=uid)
    finally:
        home.iam.delete_user_policy(UserName=owner.name, PolicyName="no")
    assert (status, text) == (500, "")
    assert "AccessDenied" in capfd.readouterr().err


def test_a_device_renews_itself(tvm):
    phone = device_client.Device(tvm.url, secrets.token_hex(16))
    phone.register()
    credentials = device_client.Vended(phone).load()
    first = credentials.get_frozen_credentials()
    assert credentials.get_frozen_credentials().access_key == first.access_key
    ahead = tvm.clock() + 86400 - 600
    credentials._time_fetcher = lambda: datetime.datetime.fromtimestamp(ahead, datetime.timezone.utc)
    second = credentials.get_frozen_credentials()
    assert second.access_key != first.access_key
    hold("SecretAccessKey", second.secret_key)
