"""`examples/identity-broker`, started as its README says, between a directory and the server under test."""

import base64
import importlib.util
import itertools
import json
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

from .bucket import BucketService
from .client import REGION, allow, name, policy, refused, statement, trust
from .secrets import hold
from .server import START_SECONDS, Keys, clean_environment
from .slapd import EXAMPLE, PATH, SUFFIX, Slapd
from .visitor import Visitor


class Broker:
    """One broker on a free port of the loopback interface, with the keys of its user."""

    def __init__(self, folder, endpoint, keys, directory, mapping, *arguments, floor=0.3, environment=()):
        """`directory`, `mapping`: what is different from the example's files of these names, and the whole mapping."""
        self.log = folder / "broker.log"
        password = folder / "directory-password"
        password.write_text("a password of broker for the tests only\n", encoding="utf-8")
        settings = json.loads((EXAMPLE / "directory.json").read_text(encoding="utf-8"))
        settings |= {"bind_password_file": str(password), **directory}
        files = {"directory": settings, "mapping": mapping}
        for known, content in files.items():
            (folder / f"{known}.json").write_text(json.dumps(content), encoding="utf-8")
        more = [part for known in files for part in (f"--{known}", str(folder / f"{known}.json"))]
        self._errors = open(self.log, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE / "broker.py"), "--listen", "127.0.0.1:0", "--floor", str(floor), *more, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={
                **clean_environment(),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL_STS": endpoint,
                "AWS_ACCESS_KEY_ID": keys.id,
                "AWS_SECRET_ACCESS_KEY": keys.secret,
                **dict(environment),
            },
        )
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        found = re.search(r"listening on (https?://127\.0\.0\.1:\d+)", line)
        if not found:
            self.stop()
            raise RuntimeError(f"the broker did not start: {self.log.read_text(encoding='utf-8')}")
        self.endpoint = found[1]

    def events(self):
        """What it logged so far."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self._errors.close()


class Company:
    """A directory, an object service, a role, and a broker between them and an account of daypass."""

    def __init__(self, home, server, folder, **more):
        self.home, self.server, self.folder = home, server, folder
        self.directory = Slapd(new_folder(folder, "slapd"))
        self.desks = name("desks")
        resources = [f"arn:aws:s3:::{self.desks}", f"arn:aws:s3:::{self.desks}/*"]
        keeper = home.user(policy(statement("daypass:CheckRequest", resources)), prefix="keeper")
        self.bucket = BucketService(new_folder(folder, "bucket"), self.desks, server.endpoint, keeper.keys)
        self.operators = name("Operators")
        self.user = home.user(self._example("broker-policy.json"), prefix="broker")
        own_desk = allow("s3:*", f"arn:aws:s3:::{self.desks}/operators/*")
        home.iam.create_role(RoleName=self.operators, AssumeRolePolicyDocument=trust(self.user.arn))
        home.iam.put_role_policy(RoleName=self.operators, PolicyName="desk", PolicyDocument=own_desk)
        self.mapping = json.loads(self._example("mapping.json"))
        self.called = folder / "called"
        self._brokers = []
        # Tests come from as many addresses as they like.
        self.broker = self.start("--proxy", "127.0.0.1", **more)
        self._guests = itertools.count(1)

    def _example(self, file):
        """A file of the example, with the names of this run."""
        text = (EXAMPLE / file).read_text(encoding="utf-8")
        return text.replace("desks", self.desks).replace("111122223333", self.home.id).replace("Operators", self.operators)

    def start(self, *arguments, directory=None, environment=(), **more):
        """Another broker. What it calls the programs of OpenLDAP with is written down."""
        folder = new_folder(self.folder, f"broker-{len(self._brokers)}")
        for program in ("ldapsearch", "ldapwhoami"):
            script = folder / program
            lines = ["#!/bin/sh", f'printf "%s\\n" "$*" >> {self.called}', f'exec {shutil.which(program)} "$@"', ""]
            script.write_text("\n".join(lines), encoding="utf-8")
            script.chmod(0o755)
        given = {"PATH": f"{folder}:{PATH}", **dict(environment)}
        settings = {"uri": self.directory.uri, **(directory or {})}
        made = Broker(folder, self.server.endpoint, self.user.keys, settings, self.mapping, *arguments, environment=given, **more)
        self._brokers.append(made)
        return made

    def guest(self, broker=None):
        """A browser that nobody saw before."""
        return Guest(broker or self.broker, f"198.51.100.{next(self._guests)}")

    def logs(self):
        return [self.called, *(broker.log for broker in self._brokers)]

    def stop(self):
        for broker in self._brokers:
            broker.stop()
        self.bucket.stop()
        self.directory.stop()


class Guest(Visitor):
    """A browser at the broker."""

    def __init__(self, broker, address, trusted=None):
        super().__init__(broker, trusted)
        self.address = address

    def ask(self, method, address, form=None, headers=(), cookies=True):
        return super().ask(method, address, form, {"X-Forwarded-For": self.address, **dict(headers)}, cookies)

    def sign_in(self, username, password=None, headers=(), **more):
        """Fills the form in, and sends it."""
        shown = self.get("/")
        form = {**shown.forms()["/"], "username": username, "password": password or secret_of(username), **more}
        answered = self.post("/", form, headers=headers)
        if answered.status == 303:
            [token] = urllib.parse.parse_qs(urllib.parse.urlsplit(answered.location).query)["SigninToken"]
            hold("sign-in token", token)
        return answered


def part(of):
    """A module of the example, for what is not seen from outside."""
    found = importlib.util.spec_from_file_location(f"identity_broker_{of}", EXAMPLE / f"{of}.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def enter(company, entered):
    """Where the broker's answer leads: the page, and keys of that session of the console."""
    assert entered.status == 303, entered.text
    browser = Visitor(company.server)
    opened = browser.get(entered.location)
    assert opened.status == 302, opened.text
    page = browser.get(opened.location)
    assert page.status == 200 and "Your session" in page.text
    shown = browser.post(f"{opened.location}credentials", page.forms()[f"{opened.location}credentials"])
    said = dict(re.findall(r"export (\w+)=(?:&#39;|')([^'&]+)", shown.text))
    return page, Keys(said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"], said["AWS_SESSION_TOKEN"])


class Desk:
    """What keys may do at the object service."""

    def __init__(self, s3, bucket):
        self.s3, self.bucket = s3, bucket

    def put(self, key):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")

    def get(self, key):
        self.s3.get_object(Bucket=self.bucket, Key=key)

    def may_not(self, *acts):
        for act, key in acts:
            with refused("AccessDenied"):
                act(key)


def desk_of(company, keys):
    return Desk(company.bucket.s3(keys), company.desks)


def secret_of(username):
    """As `people.ldif` has it."""
    return f"a password of {username} for the tests only"


def new_folder(folder, called):
    made = folder / called
    made.mkdir()
    return made


def person(username, groups=()):
    """Somebody new, in these groups: a DN, and the LDIF."""
    called = name("person")
    dn = f"cn={called},ou=people,{SUFFIX}"
    lines = [f"dn: {dn}", "objectClass: inetOrgPerson", f"cn: {called}", f"sn: {called}"]
    lines += [text("uid", username), text("userPassword", secret_of(username)), ""]
    for group in groups:
        lines += member(dn, group, "add")
    return dn, "\n".join(lines)


def member(dn, group, change):
    """Lines that put somebody into a group (`add`) or take them out of it (`delete`)."""
    return [f"dn: cn={group},ou=groups,{SUFFIX}", "changetype: modify", f"{change}: member", f"member: {dn}", "-", ""]


def text(attribute, value):
    """Any text whatever, as a line of LDIF."""
    return f"{attribute}:: {base64.b64encode(value.encode()).decode()}"
