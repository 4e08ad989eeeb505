"""npm's `oidc-provider` as a process of its own, and its clients: a robot with a secret, and a browser."""

import http.cookiejar
import json
import os
import pathlib
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from .server import START_SECONDS, clean_environment

SCRIPTS = pathlib.Path(__file__).resolve().parents[1] / "javascript"


def node(script, **more):
    """A script of conformance/javascript with the packages that `cargo xtask test` installed, begun."""
    modules = os.environ.get("DAYPASS_NODE_MODULES")
    assert modules, "DAYPASS_NODE_MODULES is not set: `cargo xtask test` installs the packages, and says what it lacks for that"
    given = {**clean_environment(), "NODE_PATH": modules, "NODE_NO_WARNINGS": "1", **more}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(["node", str(SCRIPTS / script)], env=given, **pipes)


class OidcProvider:
    """One provider on a free port of the loopback interface."""

    def __init__(self):
        self.process, self.said = node("oidc-provider.js"), []
        # The pipe is read on, or a talkative provider would wait for us.
        self.drain = threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True)
        self.drain.start()
        told = json.loads(self._line() or "{}")
        assert told, f"it did not start: {self.said}"
        self.url, self.secret = told["issuer"], told["secret"]

    def _line(self):
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        return line.strip()

    @property
    def name(self):
        """The provider in ARNs and condition keys."""
        return self.url.partition("://")[2]

    def rotate(self):
        """Other keys, and none of those before."""
        self.process.stdin.write("rotate\n")
        self.process.stdin.flush()
        assert self._line() == "rotated", self.said

    def keys(self):
        """The ids of the keys that it publishes."""
        with urllib.request.urlopen(f"{self.url}/jwks", timeout=30) as answer:
            return [key["kid"] for key in json.load(answer)["keys"]]

    def _token(self, **asked):
        form = {"client_id": "app", "client_secret": self.secret, **asked}
        with urllib.request.urlopen(f"{self.url}/token", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
            return json.load(answer)

    def robot(self, algorithm):
        """An access token about the client itself, for `app`."""
        return self._token(grant_type="client_credentials", resource=f"urn:example:sts:{algorithm}")["access_token"]

    def person(self, name):
        """The ID token of somebody who signed in with a browser, which was sent back with a code."""
        back = "https://app.example.test/back"
        asked = {"client_id": "app", "response_type": "code", "scope": "openid", "login_hint": name, "redirect_uri": back}
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), UntilThere(back))
        browser.addheaders = []
        with browser.open(f"{self.url}/auth?{urllib.parse.urlencode(asked)}", timeout=30) as answer:
            code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["code"]
        return self._token(grant_type="authorization_code", code=code[0], redirect_uri=back)["id_token"]

    def signs_in(self, address, name, back):
        """Where the browser of somebody is sent back to, whom an application sent to this address of the provider."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), UntilThere(back))
        browser.addheaders = []
        with browser.open(f"{address}&{urllib.parse.urlencode({'login_hint': name})}", timeout=30) as answer:
            return answer.headers["Location"]

    def stop(self):
        """Ends it at once; nobody answers at its address then."""
        self.process.kill()
        self.process.wait(timeout=30)
        self.drain.join(timeout=30)


class UntilThere(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but for the one that leads back to the application."""

    def __init__(self, back):
        self.back = back

    def http_error_302(self, request, answer, code, message, headers):
        if headers["Location"].startswith(self.back):
            return answer
        return super().http_error_302(request, answer, code, message, headers)

    http_error_303 = http_error_302
