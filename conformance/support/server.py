"""The server under test: started from the built binary, spoken to as anybody would."""

import configparser
import os
import pathlib
import re
import subprocess
import threading
import urllib.error
import urllib.request

from .secrets import hold

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60


def binary():
    """The built `daypass`: DAYPASS_BIN, or what `cargo build -p daypass-server` left."""
    given = os.environ.get("DAYPASS_BIN")
    if given:
        return given
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ["HOME"], ".cache")
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(cache, "daypass", "target")
    return os.path.join(target, "debug", "daypass")


class Keys:
    """Credentials as a client holds them."""

    def __init__(self, access_key_id, secret_access_key, session_token=None):
        self.id = access_key_id
        self.secret = secret_access_key
        self.token = session_token

    @classmethod
    def of(cls, credentials):
        """From the Credentials member of an STS answer."""
        return cls(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    @classmethod
    def of_file(cls, path):
        """From a file in the AWS CLI's credentials form, profile `default`."""
        parser = configparser.ConfigParser(interpolation=None)
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        section = parser["default"]
        return cls(section["aws_access_key_id"], section["aws_secret_access_key"], section.get("aws_session_token"))

    def but(self, **changes):
        """The same with some of `id`, `secret`, `token` changed."""
        values = {"id": self.id, "secret": self.secret, "token": self.token, **changes}
        return Keys(values["id"], values["secret"], values["token"])

    def __repr__(self):
        return f"Keys({self.id})"


class Server:
    """One `daypass serve` on free ports of the loopback interface."""

    def __init__(self, folder, *arguments, environment=None):
        self.data = folder / "data"
        self.lines = []
        self.log, self.printed = folder / "stderr", folder / "stdout"
        self.errors = open(self.log, "w", encoding="utf-8")
        command = [binary(), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**clean_environment(), **(environment or {})},
        )
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.strip() == "ready":
                break
        watchdog.cancel()
        if not self.lines or self.lines[-1].strip() != "ready":
            self.process.wait()
            raise RuntimeError(f"no `ready` line; it said: {self.lines} {self.stderr()}")
        self.endpoint = self._endpoint()
        # The pipe is read on, or a talkative server would wait for us.
        self.drain = threading.Thread(target=self._drain, daemon=True)
        self.drain.start()

    def _endpoint(self):
        banner = "\n".join(self.lines)
        found = re.search(r"AWS_ENDPOINT_URL_STS=[\"']?(https?://127\.0\.0\.1:\d+)", banner)
        found = found or re.search(r"(https?://127\.0\.0\.1:\d+)", banner)
        if not found:
            raise RuntimeError(f"the banner names no endpoint: {banner}")
        return found[1]

    def _drain(self):
        with open(self.printed, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.lines)
            file.writelines(self.process.stdout)

    @property
    def host(self):
        """`127.0.0.1:port`, as clients put it into the Host header."""
        return self.endpoint.removeprefix("http://")

    def admin(self, path):
        """Status and text of `/readyz` or `/metrics`."""
        [address] = re.findall(r"^ *admin +(http://127\.0\.0\.1:\d+) ", "\n".join(self.lines), re.MULTILINE)
        try:
            with urllib.request.urlopen(address + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def provider_metrics(self, provider):
        """Since when its keys are known and for how long they cannot be had, in seconds, as far as it is told."""
        _, text = self.admin("/metrics")

        def value(known):
            line = rf'^daypass_provider_{known}_seconds{{provider="{re.escape(provider)}"}} (\d+)$'
            found = re.search(line, text, re.MULTILINE)
            return found and int(found[1])

        return value("keys_age"), value("failing")

    def stderr(self):
        """What it wrote to standard error so far."""
        return self.log.read_text(encoding="utf-8")

    def audits(self):
        """Its audit, the files that were rotated away included."""
        return [path for path in self.data.glob("audit.jsonl*") if not path.name.endswith(".reserve")]

    def root_keys(self):
        """The keys that the first start wrote."""
        return self._root_keys(self.data / "root-credentials")

    @staticmethod
    def _root_keys(path):
        keys = Keys.of_file(path)
        hold("root's secret", keys.secret)
        return keys

    def run(self, *arguments):
        """Another command of the same binary, on the same data."""
        command = [binary(), *arguments, "--data", str(self.data)]
        return subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)

    def create_account(self):
        """A second account; the command prints the path of a file with its root key."""
        done = self.run("account", "create")
        if done.returncode != 0:
            raise RuntimeError(f"account create failed: {done.stdout}{done.stderr}")
        for word in done.stdout.split():
            path = pathlib.Path(word.strip("`'\",.;:"))
            if path.is_file():
                return self._root_keys(path)
            if (self.data / path).is_file():
                return self._root_keys(self.data / path)
        raise RuntimeError(f"account create printed no path of a file: {done.stdout}")

    def stop(self):
        """Asks it to end and waits; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout=30)
            self.drain.join(timeout=30)
            return code
        finally:
            self.errors.close()


def clean_environment():
    """Nothing of the caller's AWS or daypass settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DAYPASS_"))}
    kept["PYTHONWARNINGS"] = "ignore"
    return kept


def actions():
    """{service: {action, …}} as the binary lists them."""
    done = subprocess.run([binary(), "actions"], capture_output=True, text=True, env=clean_environment(), timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"daypass actions failed: {done.stderr}")
    found = {}
    for line in done.stdout.splitlines():
        service, action, _read_only, _callers = line.split("\t")
        found.setdefault(service, set()).add(action)
    return found
