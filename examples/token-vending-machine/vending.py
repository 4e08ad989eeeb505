"""The protocol of the token vending machine, without HTTP: what is asked, what is answered, what is refused with which status.

Whoever proves the key of a device gets a session of daypass, which may do what the template says and nothing else.
"""

import datetime
import hashlib
import ipaddress
import json
import re
import threading

import crypto
import policy
from devices import SESSIONS_MAX, Issued

APART_MAX_SECONDS = 15 * 60
UID_LENGTH = (24, 256)
PASSWORD_LENGTH = (6, 128)
USERNAME = re.compile(r"[A-Za-z0-9_.@]{3,128}", re.ASCII)
HEX = re.compile(r"[0-9A-Fa-f]+", re.ASCII)
# Wrong passwords that one network may try of one user in a quarter of an hour; and of how many such pairs is known.
TRIES_MAX = 10
TRIED_MAX = 10_000


class Refused(Exception):
    """What is asked is not done; `status` is HTTP's."""

    def __init__(self, status, why=""):
        super().__init__(why)
        self.status, self.why = status, why


class Answer:
    """A text, and who vouches for it."""

    def __init__(self, text="", vouched=None):
        self.text, self.vouched = text, vouched


class Asked:
    """The parameters of a request, those that came in its body, and where it came from."""

    def __init__(self, parameters, in_body=(), peer="", plain_json=False):
        self.parameters, self.in_body, self.peer, self.plain_json = parameters, in_body, peer, plain_json

    def __getitem__(self, name):
        if not self.parameters.get(name):
            raise Refused(400, f"{name} is missing")
        return self.parameters[name]


class Machine:
    """`sts` is boto3's client with the long-term keys of the machine's own user; `clock` gives Unix seconds."""

    def __init__(self, devices, sts, template, *, bucket, application, host, clock, seconds=86400, old_clients=False):
        self.devices, self.sts, self.template, self.bucket = devices, sts, template, bucket
        self.application, self.host, self.clock = application, host, clock
        self.seconds, self.old_clients = seconds, old_clients
        self.issuer = sts.get_caller_identity()["Arn"]
        self.nobody = crypto.new_key()  # whose signature is compared where there is no key
        self.tries = Tries()
        policy.fill(template, bucket=bucket, name="x")  # so that a bad one is found now

    def register_device(self, asked):
        """/registerdevice: a device brings its own key."""
        uid, key = valid_uid(asked["uid"]), asked["key"]
        self.refuse_in_address(asked, "key")
        if not HEX.fullmatch(key) or len(key) not in crypto.KEY_LENGTHS:
            raise Refused(400, "key must be 32, 48 or 64 hexadecimal digits")
        if not self.devices.add_device(uid, key):
            raise Refused(409, "uid is taken")
        return Answer()

    def register_user(self, asked):
        """/registeruser"""
        username, password = asked["username"], asked["password"]
        self.refuse_in_address(asked, "password")
        if not USERNAME.fullmatch(username) or not within(password, PASSWORD_LENGTH):
            raise Refused(400, "username or password has not the right form")
        if not self.devices.add_user(username, crypto.salted_hash(username, password, self.application, self.host)):
            raise Refused(406, "username is taken")
        return Answer()

    def login(self, asked):
        """/login: whoever knows the password gets a key for a device of theirs."""
        username, uid = asked["username"], valid_uid(asked["uid"])
        end = self.end_of(asked["timestamp"])
        # A name that nobody can have is as wrong as one that nobody has, and nothing of it is kept: it may be as long as an address.
        if not USERNAME.fullmatch(username):
            self.signed(None, asked)
            raise Refused(401)
        tried, now = (username, network(asked.peer)), self.clock()
        if not self.tries.begin(tried, now):
            raise Refused(401)
        salted = self.devices.hash_of(username)
        if not self.signed(salted, asked):
            raise Refused(401)
        self.tries.give_back(tried, now)
        self.spend("login", username, asked, end)
        key = crypto.new_key()
        if not self.devices.log_in(uid, username, key):
            raise Refused(401)
        return self.sealed(crypto.hash_key(salted), salted, asked, {"key": key})

    def get_token(self, asked):
        """/gettoken: a session for whoever proves the device's key."""
        uid = asked["uid"]
        end = self.end_of(asked["timestamp"])
        device = self.devices.device(uid)
        if not self.signed(device and device.key, asked) or device.revoked:
            raise Refused(401)
        # Before daypass is asked, and before anything is remembered: who asks on and on leaves nothing behind, here or there.
        place = self.devices.reserve(uid, self.clock())
        if place is None:
            raise Refused(429, f"a device has {SESSIONS_MAX} sessions at once")
        try:
            self.spend("token", uid, asked, end)
            given, until = self.session(uid, device, place)
        except BaseException:
            self.devices.release(place)
            raise
        told = {
            "accessKey": given["AccessKeyId"],
            "secretKey": given["SecretAccessKey"],
            "securityToken": given["SessionToken"],
            "expirationDate": str(int(until * 1000)),
        }
        return self.sealed(device.key, device.key, asked, told)

    def session(self, uid, device, place):
        """Credentials of daypass for the device, noted at its `place`, and until when they are good."""
        name = policy.federated_name(uid, device.owner)
        allowed = policy.fill(self.template, bucket=self.bucket, name=name)
        given = self.sts.get_federation_token(Name=name, Policy=allowed, DurationSeconds=self.seconds)["Credentials"]
        until = given["Expiration"].timestamp()
        if not self.devices.issue(uid, device, place, Issued(given["AccessKeyId"], self.issuer), until, self.clock()):
            raise Refused(401)
        return given, until

    def refuse_in_address(self, asked, secret):
        """Addresses end in the logs of every proxy on the way."""
        if not self.old_clients and secret not in asked.in_body:
            raise Refused(400, f"{secret} belongs in the body of a POST")

    def end_of(self, timestamp):
        """Until when a signature of this time counts. Told before anybody is looked up."""
        try:
            moment = datetime.datetime.fromisoformat(timestamp)
            if moment.tzinfo is None:
                raise ValueError(timestamp)
            moment = moment.timestamp()
        except (ValueError, OverflowError):
            raise Refused(408, "timestamp is no time") from None
        if abs(moment - self.clock()) > APART_MAX_SECONDS:
            raise Refused(408, "timestamp is too far from the present")
        return moment + APART_MAX_SECONDS

    def signed(self, key, asked):
        """Whether the timestamp is signed with the key. Without one as much is computed, so that the time tells nothing."""
        right = crypto.same(crypto.sign(key or self.nobody, asked["timestamp"]), asked["signature"])
        return right and key is not None

    def spend(self, purpose, whose, asked, end):
        """A signature counts once: it is remembered until its time is over."""
        mark = hashlib.sha256(json.dumps([purpose, whose, asked["signature"]]).encode()).hexdigest()
        if not self.devices.spend(mark, end, self.clock()):
            raise Refused(401)

    def sealed(self, key, voucher, asked, told):
        text = json.dumps(told) if asked.plain_json else unquoted(told)
        text = crypto.seal(key, text)
        return Answer(text, crypto.vouch(voucher, asked["signature"], text))


class Tries:
    """Passwords tried of late, in memory. They count for one network, so that nobody is shut out by somebody else."""

    def __init__(self):
        self.lock, self.times = threading.Lock(), {}

    def begin(self, who, now):
        """Whether one more may be tried. It counts from here on and not when it was wrong: guesses come side by side."""
        with self.lock:
            late = self.late(who, now)
            if len(late) >= TRIES_MAX:
                return False
            if who not in self.times and len(self.times) >= TRIED_MAX:
                self.make_room(now)
            self.times[who] = [*late, now]
            return True

    def give_back(self, who, begun):
        """The password was right: the try that began then was none."""
        with self.lock:
            times = self.times.get(who, [])
            if begun in times:
                times.remove(begun)
            if not times:
                self.times.pop(who, None)

    def late(self, who, now):
        return [time for time in self.times.get(who, ()) if time > now - APART_MAX_SECONDS]

    def make_room(self, now):
        """Forgets what is over, and of the rest those that tried least: nobody wins new guesses by naming many others."""
        times = {who: late for who in self.times if (late := self.late(who, now))}
        most = sorted(times, key=lambda who: (len(times[who]), times[who][-1]))[-TRIED_MAX // 2 :]
        self.times = {who: times[who] for who in most}


def network(address):
    """Whose tries count together: whoever has an address of version 6 has the 2^64 beside it. Not so where it stands for one of
    version 4 (RFC 4291, section 2.5.5.2): beside it is everybody."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))


def valid_uid(uid):
    """Any text of this length. It becomes a name by `policy.federated_name` alone."""
    if not within(uid, UID_LENGTH) or not uid.isprintable():
        raise Refused(400, "uid must be 24 to 256 characters that can be printed")
    return uid


def within(text, length):
    return length[0] <= len(text) <= length[1]


def unquoted(told):
    """As the machine of 2011 wrote it, which is no JSON: its names have no quotes. No value here has one inside."""
    return "{" + ", ".join(f'{name}: "{value}"' for name, value in told.items()) + "}"
