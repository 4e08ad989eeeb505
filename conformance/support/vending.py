"""examples/token-vending-machine within the test's own process, so that its clock can be moved, and asked without its client."""

import http.client
import pathlib
import sys
import threading
import time
import urllib.parse

from .server import ROOT

EXAMPLE = ROOT / "examples" / "token-vending-machine"
sys.path.insert(0, str(EXAMPLE))

import crypto
import devices
import machine
import vending

HOST, APPLICATION = "tvm.example.com", "MyMobileAppName"


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
    """One machine on a free port. `sts` is the client of its own user."""

    def __init__(self, folder, sts, bucket, **more):
        self.clock, self.path = Moved(), folder / "devices.sqlite"
        self.devices = devices.Devices(self.path)
        template = more.pop("template", None) or (EXAMPLE / "policy.json").read_text(encoding="utf-8")
        named = {"bucket": bucket, "application": APPLICATION, "host": HOST, "clock": self.clock}
        self.machine = vending.Machine(self.devices, sts, template, **{**named, **more})
        self.server = machine.Server(("127.0.0.1", 0), self.machine)
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


def copied(folder):
    """The example elsewhere, since its programs keep files where they run."""
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(file.stat().st_mode)
    return pathlib.Path(folder)
