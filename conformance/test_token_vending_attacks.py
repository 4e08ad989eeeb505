"""examples/token-vending-machine under attack: replayed and expired signatures, wrong keys, taken uids, names that would be patterns,
answers that are not the machine's, devices that are lost."""

import collections
import concurrent.futures
import http.server
import json
import re
import secrets
import threading

import botocore.exceptions
import pytest

from support import vending
from support.client import allow, refused
from support.secrets import hold
from support.vending import EXAMPLE, PASSWORD, bucket, device, keys_of, logged_in, make, owner, reaches, salted, tvm
from support.visitor import Visitor

import client as device_client
import crypto
import policy as names
import revoke

UID, KEY = "0123456789abcdef01234567", "00112233445566778899aabbccddeeff"


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
    sts.meanwhile = lambda: pytest.fail("daypass is not even asked")
    assert tvm.token(uid, key) == 401
