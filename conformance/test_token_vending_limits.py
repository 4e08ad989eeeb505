"""examples/token-vending-machine and how much of it there is: guesses, names, sessions, what is repeated of a request that is none,
and where a client sends what is secret.

What is forwarded for whom: RFC 7239, section 8.1, warns of believing it. Mapped addresses: RFC 4291, section 2.5.5.2.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import threading
import types

import botocore.exceptions
import pytest

from support.client import Account, House, allow
from support.secrets import hold
from support.server import Server, clean_environment
from support.trap import Trap, raw
from support.vending import EXAMPLE, HOST, PASSWORD, Service, bucket, device, keys_of, logged_in, make, owner, salted, tvm

import client as device_client
import crypto
import revoke
import vending as protocol

UID = "0123456789abcdef01234567"


def guess(tvm, number, username="grace", forwarded=None, **more):
    """The status of a login with a password; the right one is number None."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else None
    password = PASSWORD if number is None else f"wrong-{number}"
    asked = {"username": username, "uid": secrets.token_hex(16), **more}
    return tvm.prove("/login", salted(username, password), headers=headers, **asked)[0]


# --- guesses --------------------------------------------------------------------------------------------


def test_behind_a_proxy_nobody_is_shut_out_by_anothers_guesses(make):
    tvm = make(proxies=["127.0.0.1"])
    logged_in(tvm, "grace")
    # What a guesser writes before the proxy's own word is worth nothing.
    assert {guess(tvm, number, forwarded="203.0.113.77, 198.51.100.7") for number in range(10)} == {401}
    assert guess(tvm, None, forwarded="198.51.100.7") == 401, "the guesses were the guesser's"
    assert guess(tvm, None, forwarded="203.0.113.77") == 200
    assert guess(tvm, None, forwarded="198.51.100.7, no address") == 200, "it counts for the proxy then"


def test_who_is_no_proxy_of_ours_is_not_believed(make):
    tvm = make(proxies=["192.0.2.1"])
    logged_in(tvm, "grace")
    assert {guess(tvm, number, forwarded=f"198.51.100.{number}") for number in range(10)} == {401}
    assert guess(tvm, None, forwarded="203.0.113.77") == 401


def test_one_network_has_one_budget(make):
    tvm = make(proxies=["127.0.0.1"])
    logged_in(tvm, "grace")
    assert {guess(tvm, number, forwarded=f"2001:db8:1:2::{number}") for number in range(10)} == {401}
    assert guess(tvm, None, forwarded="2001:db8:1:2:ffff::1") == 401
    assert guess(tvm, None, forwarded="2001:db8:1:3::1") == 200
    assert {guess(tvm, number, forwarded=f"::ffff:198.51.100.{number}") for number in range(10)} == {401}
    assert guess(tvm, None, forwarded="::ffff:203.0.113.77") == 200, "beside a mapped address is everybody"


def test_a_proxy_that_is_not_named_is_refused_at_the_start():
    command = [sys.executable, "machine.py", "--bucket", "b", "--host", HOST, "--listen", "0.0.0.0:0", "--behind-tls-proxy"]
    done = subprocess.run(command, cwd=EXAMPLE, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "--proxy" in done.stderr


def test_of_guesses_side_by_side_ten_are_compared(tvm, monkeypatch):
    """Each comes while the one before it is looked up: none has been found wrong yet."""
    logged_in(tvm, "grace")
    compared, hash_of = [], tvm.devices.hash_of

    def meanwhile(username):
        compared.append(username)
        if len(compared) < 30:
            with pytest.raises(protocol.Refused):
                tvm.machine.login(attempt(len(compared)))
        return hash_of(username)

    def attempt(number):
        timestamp = tvm.clock.iso()
        signature = crypto.sign(salted("grace", f"wrong-{number}"), timestamp)
        asked = {"username": "grace", "uid": UID, "timestamp": timestamp, "signature": signature}
        return protocol.Asked(asked, peer="192.0.2.1")

    monkeypatch.setattr(tvm.devices, "hash_of", meanwhile)
    with pytest.raises(protocol.Refused):
        tvm.machine.login(attempt(0))
    assert len(compared) == 10


def test_whoever_knows_the_password_logs_in_as_often_as_they_like(tvm):
    logged_in(tvm, "grace")
    assert {guess(tvm, number) for number in range(9)} == {401}
    assert [guess(tvm, None) for _ in range(12)] == [200] * 12
    assert guess(tvm, 9) == 401 == guess(tvm, None), "and what was wrong still counts"


def test_names_that_nobody_can_have_are_refused_alike_and_not_kept(tvm, monkeypatch):
    logged_in(tvm, "grace")
    wrong = tvm.prove("/login", salted("grace", "wrong"), username="grace", uid=UID)
    tvm.machine.tries.times.clear()
    computed, sign = [], crypto.sign
    monkeypatch.setattr(crypto, "sign", lambda *given: computed.append(None) or sign(*given))
    for method, username in [("GET", "n" * 60_000), ("POST", "n" * 8_000), ("POST", "ab"), ("POST", "grace\0"), ("POST", "gräce")]:
        timestamp = tvm.clock.iso()
        signature = sign("x", timestamp)
        computed.clear()
        status, text, fields = tvm.ask("/login", method, username=username, uid=UID, timestamp=timestamp, signature=signature)
        assert (status, text, fields.keys()) == (wrong[0], wrong[1], wrong[2].keys())
        assert len(computed) == 1, "as much is computed as for a wrong password"
    assert tvm.machine.tries.times == {}


def test_many_names_neither_fill_memory_nor_make_ten_guesses_forgotten(tvm, monkeypatch):
    monkeypatch.setattr(protocol, "TRIED_MAX", 20)
    logged_in(tvm, "grace")
    assert {guess(tvm, number) for number in range(10)} == {401}
    assert {guess(tvm, number, username=f"nobody.{number}") for number in range(100)} == {401}
    assert len(tvm.machine.tries.times) <= 20
    assert guess(tvm, None) == 401


# --- what is no request ---------------------------------------------------------------------------------

MALFORMED = [
    b"GET /registeruser?username=adam&password=a wrong-SECRET HTTP/1.1\r\n\r\n",
    b"GET /registeruser?username=adam&password=a wrong-SECRET\r\n\r\n",
    b"password=wrong-SECRET /registeruser HTTP/1.1\r\n\r\n",
    b"POST /registeruser password=wrong-SECRET\r\n\r\n",
    b"POST /registeruser HTTP/wrong-SECRET\r\n\r\n",
    b"POST /registeruser HTTP/9.1\r\nX: wrong-SECRET\r\n\r\n",
    b"wrong-SECRET /registeruser\r\n\r\n",
    b"GET /" + b"wrong-SECRET" * 6000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nwrong-SECRET: " + b"x" * 70_000 + b"\r\n\r\n",
    b"POST /registeruser HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("sent", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_request_is_neither_logged_nor_sent_back(tvm, capfd, sent):
    answer = raw(tvm.url, sent)
    # What is longer than it reads ends in a reset, before which the answer may be lost.
    assert re.match(rb"HTTP/1\.0 (400|501|505) ", answer) or len(sent) > 65536
    logged = capfd.readouterr().err
    assert b"SECRET" not in answer and "SECRET" not in logged
    assert len(logged.splitlines()) == 1, "but it is told that there was one"


# --- sessions -------------------------------------------------------------------------------------------


class Counted:
    """STS, whose answers are counted and may be late or wrong."""

    def __init__(self, sts):
        self.sts, self.given, self.meanwhile = sts, 0, lambda: None

    def get_caller_identity(self):
        return self.sts.get_caller_identity()

    def get_federation_token(self, **asked):
        self.given += 1
        self.meanwhile()
        return self.sts.get_federation_token(**asked)


def rows(tvm, table):
    return tvm.devices._read(f"SELECT count(*) FROM {table}")[0][0]


def test_a_device_has_ten_sessions_at_once(make, owner):
    sts = Counted(owner.sts)
    tvm = make(sts=sts)
    uid, key = device(tvm)
    assert [tvm.token(uid, key) for _ in range(30)] == [200] * 10 + [429] * 20
    assert sts.given == 10, "daypass is not asked for what is not handed out"
    assert (rows(tvm, "issued"), rows(tvm, "spent"), rows(tvm, "reserved")) == (10, 10, 0)
    assert tvm.token(*device(tvm)) == 200, "another has its own"
    assert tvm.token(uid, crypto.new_key()) == 401, "who proves nothing is told nothing"
    tvm.clock.ahead = 86400 + 60
    assert tvm.token(uid, key) == 200
    assert (rows(tvm, "issued"), rows(tvm, "spent")) == (1, 1), "what is over is forgotten"


def test_requests_side_by_side_have_ten_sessions_together(make, owner):
    sts = Counted(owner.sts)
    tvm = make(sts=sts)
    uid, key = device(tvm)
    found = []
    sts.meanwhile = lambda: found.append(tvm.token(uid, key)) if len(found) < 20 else None
    found.append(tvm.token(uid, key))
    assert sts.given == 10 and (found.count(200), rows(tvm, "issued"), rows(tvm, "reserved")) == (10, 10, 0)


def test_what_comes_to_nothing_takes_no_place(make, owner):
    sts = Counted(owner.sts)
    tvm = make(sts=sts)
    uid, key = device(tvm)
    timestamp = tvm.clock.iso()
    assert tvm.token(uid, key, timestamp=timestamp) == 200
    assert {tvm.token(uid, key, timestamp=timestamp) for _ in range(12)} == {401}

    def away():
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="nowhere")

    sts.meanwhile = away
    assert {tvm.token(uid, key) for _ in range(12)} == {500}
    sts.meanwhile = lambda: None
    assert (rows(tvm, "issued"), rows(tvm, "reserved")) == (1, 0)
    assert tvm.token(uid, key) == 200


def test_one_device_does_not_push_another_out_of_the_log_of_sessions(environment, tmp_path):
    """A log of 100: who revokes the lost device finds its session there, and ends no other."""
    server = Server(tmp_path, "--session-log-max", "100")
    try:
        house = House(server)
        home = Account(house, server.root_keys())
        machine = home.user(allow("sts:GetFederationToken"), prefix="vending")
        operator = home.user(allow(["daypass:ListSessions", "daypass:RevokeSession"]), prefix="operator")
        tvm = Service(tmp_path, machine.sts, "mybucket")
        try:
            lost, good, greedy = device(tvm), device(tvm), device(tvm)
            held = [keys_of(tvm, *one) for one in (lost, good)]
            assert [tvm.token(*greedy) for _ in range(140)].count(200) == 10
            said = []
            assert revoke.revoke(tvm.devices, operator.daypass, lost[0], said.append) and said == ["revoked, with 1 sessions"]
        finally:
            tvm.close()
        with pytest.raises(botocore.exceptions.ClientError, match="ExpiredToken"):
            house.sts(held[0]).get_caller_identity()
        assert house.sts(held[1]).get_caller_identity()["Arn"].endswith(f"/{good[0]}")
    finally:
        assert server.stop() == 0


# --- the client -----------------------------------------------------------------------------------------


def test_a_client_keeps_its_session_while_it_counts(server, home, tvm, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.endpoint)
    given = types.SimpleNamespace(state=tmp_path / "device.json", machine=tvm.url, ca=None)
    given.state.write_text(json.dumps({"uid": secrets.token_hex(16), "key": None}), encoding="utf-8")
    given.state.chmod(0o644)
    phone = device_client.load(given)
    phone.register()
    first = device_client.session(given, phone)
    hold("SecretAccessKey", first["secretKey"])
    assert given.state.stat().st_mode & 0o777 == 0o600, "whatever it was before"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("device.json")] == ["device.json"]
    assert device_client.session(given, device_client.load(given)) == first
    [row] = home.daypass.list_sessions(AccessKeyId=first["accessKey"])["Sessions"]
    home.daypass.revoke_session(SessionId=row["SessionId"])
    second = device_client.session(given, device_client.load(given))
    hold("SecretAccessKey", second["secretKey"])
    assert second["accessKey"] != first["accessKey"], "an operator ended it"
    phone = device_client.load(given)
    phone.kept["expirationDate"] = str(int((tvm.clock() + 600) * 1000))
    third = device_client.session(given, phone)
    hold("SecretAccessKey", third["secretKey"])
    assert third["accessKey"] != second["accessKey"], "it would not be good for long"


@pytest.fixture
def trap():
    made = Trap()
    yield made
    made.close()


def test_passwords_and_keys_go_past_the_proxy_of_the_environment(tvm, trap, monkeypatch):
    for known, value in trap.environment.items():
        monkeypatch.setenv(known, value)
    phone = device_client.Device(tvm.url, secrets.token_hex(16))
    phone.register()
    phone.register_user("adam", PASSWORD)
    assert trap.seen == [] and tvm.devices.hash_of("adam") == salted("adam", PASSWORD)


def test_keys_that_the_machine_gets_do_so_too(server, owner, trap, tmp_path):
    """Before it listens it asks daypass who it is."""
    command = [sys.executable, str(EXAMPLE / "machine.py"), "--bucket", "b", "--host", HOST, "--listen", "127.0.0.1:0"]
    held = {"AWS_ENDPOINT_URL_STS": server.endpoint, "AWS_ACCESS_KEY_ID": owner.keys.id, "AWS_SECRET_ACCESS_KEY": owner.keys.secret}
    given = {"env": {**clean_environment(), **trap.environment, **held}, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **given)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate(timeout=30)
    assert trap.seen == []


@pytest.mark.parametrize("url", ["http://tvm.invalid", "http://192.0.2.1:7780", "http://localhost.invalid", "ftp://127.0.0.1", "127.0.0.1:7780"])
def test_they_go_nowhere_in_the_open(url, trap, tmp_path):
    command = [sys.executable, str(EXAMPLE / "client.py"), "--machine", url, "--state", str(tmp_path / "state.json")]
    environment = {**clean_environment(), **trap.environment}
    where = {"env": environment, "cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60, "check": False}
    for more, typed in ((["register"], ""), (["register-user", "adam"], "wrong-SECRET\n")):
        done = subprocess.run([*command, *more], input=typed, **where)
        assert done.returncode == 1 and "https://" in done.stderr and "Traceback" not in done.stderr
    assert trap.seen == [] and os.listdir(tmp_path) == []
