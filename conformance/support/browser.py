"""A real browser: `javascript/browser`, which starts Chromium once and plays the scenarios that tests ask it for."""

import json
import os
import shutil
import threading

from .oidc_provider import node
from .secrets import hold

# Longest scenario, in seconds; each wait in there is bounded by itself.
SCENARIO_SECONDS = 60


class Browser:
    """Chromium, and a fresh profile for every scenario."""

    def __init__(self, server):
        chromium = os.environ.get("DAYPASS_CHROMIUM") or shutil.which("chromium")
        assert chromium, "there is no chromium in PATH: `cargo xtask test` installs it, and says what it lacks for that"
        self.server = server
        self.process = node("browser/main.mjs", DAYPASS_CHROMIUM=chromium)
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
        for cookie in [*answer["cookies"], *given.get("cookies", [])]:
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
