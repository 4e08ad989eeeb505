"""A real browser: `javascript/browser`, which starts Chromium once and plays the scenarios that tests ask it for."""

import json
import os
import re
import shutil
import threading
import urllib.parse

from .oidc_provider import node
from .secrets import hold
from .server import Keys

# Longest scenario, in seconds; each wait in there is bounded by itself.
SCENARIO_SECONDS = 60


class Browser:
    """Chromium, and a fresh profile for every scenario."""

    def __init__(self, server, name=""):
        """`name` leads to an address and a port: `name=address:port`."""
        chromium = os.environ.get("DAYPASS_CHROMIUM") or shutil.which("chromium")
        assert chromium, "there is no chromium in PATH: `cargo xtask test` installs it, and says what it lacks for that"
        self.server = server
        self.process = node("browser/main.mjs", DAYPASS_CHROMIUM=chromium, DAYPASS_NAME=name)
        self.said = []
        # The pipe is read on, or a talkative browser would wait for us.
        self.drain = threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True)
        self.drain.start()
        self.version = self._answer()["version"]

    def _answer(self):
        watchdog = threading.Timer(SCENARIO_SECONDS, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        assert line, f"the browser is gone: {''.join(self.said)}"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer

    def address(self, path):
        """What the address bar says for a path of the server."""
        return f"{self.server.endpoint}{path}"

    def ask(self, scenario, **given):
        """What was seen, what went wrong on the way, and the cookies that are left."""
        question = {"scenario": scenario, "given": {"server": self.server.endpoint, **given}}
        self.process.stdin.write(f"{json.dumps(question)}\n")
        self.process.stdin.flush()
        answer = self._answer()
        others = {urllib.parse.urlsplit(asked).hostname for asked in given.get("asks", [])}
        for cookie in [*answer["cookies"], *given.get("cookies", [])]:
            if cookie["domain"] not in others:
                hold("cookie of a browser", cookie["value"])
        return answer

    def play(self, scenario, **given):
        """What was seen where nothing goes wrong: no report of a policy, no error, nobody else asked for anything."""
        answer = self.ask(scenario, **given)
        assert answer["troubles"] == [], answer["troubles"]
        return answer["seen"]

    def stop(self):
        """Ends it, and Chromium with it."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.drain.join(timeout=30)

    def look(self, name, **given):
        """A page in every way that it may look, and that it is readable in each."""
        answer = self.ask("look", name=name, shots=os.environ.get("DAYPASS_SCREENSHOTS"), **given)
        # An answer that is an error is noted, and so is the one that is held back.
        unexpected = [trouble for trouble in answer["troubles"] if not re.search(r"status of 40[03]|ERR_ABORTED", trouble)]
        assert unexpected == []
        looks = answer["seen"]
        assert len(looks) == 6
        for known, seen in looks.items():
            readable(known, seen)
        assert len([seen for seen in looks.values() if seen["said"]]) == 4
        [landmarks] = {tuple(seen["landmarks"]) for seen in looks.values()}
        return landmarks


def readable(name, look):
    """axe has nothing to say, nothing is wider than the window, and headings come in order."""
    if said := look["said"]:
        assert said["violations"] == [] and said["unsure"] == [], (name, said["violations"], said["unsure"])
        assert "color-contrast" in said["rules"] and "region" in said["rules"], name
    assert look["tooWide"] <= 0 and look["sideways"] == [] and look["narrowest"] >= 80, (name, look["sideways"])
    headings = look["headings"]
    assert headings[0] == 1 and headings.count(1) == 1, name
    assert all(after <= before + 1 for before, after in zip(headings, headings[1:])), name


def seen_by_eye(stops):
    """What had the focus, one after the other: each was in the window, and marked."""
    for stop in stops:
        assert stop["outline"] >= 2 and stop["isInView"], stop
    return [stop["name"] for stop in stops]


def credentials(text):
    """Those in the lines for a shell, on a page."""
    said = dict(re.findall(r"export (\w+)='([^']+)'", text))
    keys = Keys(said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"], said["AWS_SESSION_TOKEN"])
    hold("secret on a page", keys.secret)
    hold("token on a page", keys.token)
    return keys


def nothing_to_take(sight):
    """Neither an address nor a script tells of what proves the session."""
    told = [sight["url"], *sight.get("history", [])]
    assert not any(secret in address for address in told for secret in ("Token", "SAMLResponse"))
    assert sight["readable"] == {"cookie": "", "stored": 0, "referrer": ""}
