"""examples/token-vending-machine: devices prove a key and reach their own place in examples/bucket. What it answers, from end to
end; who is kept out is in test_token_vending_attacks.py.

Source: the token vending machine that AWS published in 2011, and "Using Temporary Security Credentials" (2012), which recommends it.
"""

import base64
import datetime
import json
import os
import re
import secrets
import subprocess
import sys
import threading

import pytest

from support import cli
from support.client import name, policy, refused, statement
from support.secrets import hold
from support.server import Keys, clean_environment
from support.vending import EXAMPLE, HOST, PASSWORD, bucket, device, keys_of, logged_in, make, owner, reaches, salted, tvm

import client as device_client
import crypto
import devices as remembered

# --- from end to end ------------------------------------------------------------------------------------


def copied(folder):
    """The example elsewhere, since its programs keep files where they run."""
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(file.stat().st_mode)
    return folder


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
        nobody = programs.client("./client.py --endpoint http://127.0.0.1:1 list")
        assert nobody.returncode == 1 and nobody.stderr.startswith("Could not connect to the endpoint URL")
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
        stranger = programs.client("./client.py --state another.json register")
        assert stranger.returncode == 1 and "CERTIFICATE_VERIFY_FAILED" in stranger.stderr
        assert "Traceback" not in stranger.stderr
    finally:
        code, log = programs.stop()
    assert code == 0
    assert re.search(r'"?POST /registerdevice 200', log) and "uid=" not in log and "signature=" not in log, log


def test_without_tls_it_listens_for_this_machine_alone():
    command = [sys.executable, "machine.py", "--bucket", "b", "--host", HOST, "--listen", "0.0.0.0:0"]
    done = subprocess.run(command, cwd=EXAMPLE, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "go over TLS" in done.stderr


# --- the protocol ---------------------------------------------------------------------------------------


def test_a_token_in_both_modes_by_both_methods(tvm, bucket, capfd):
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
    logged = capfd.readouterr().err
    assert "GET /login 200" in logged and uid not in logged and signature not in logged, logged


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
