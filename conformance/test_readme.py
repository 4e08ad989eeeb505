"""The README's five minutes, typed as they stand there."""

import json
import os
import subprocess

import pytest

from support.server import ROOT, Server, clean_environment


@pytest.fixture
def fresh(environment, tmp_path):
    server = Server(tmp_path)
    yield server
    server.stop()


def block(after):
    """The shell block that follows a sentence of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split(after, 1)[1].split("```sh\n", 1)[1].split("```", 1)[0]


def test_the_five_minutes_work_as_they_are_written(fresh):
    script = block("In another terminal, in the same directory:")
    script = script.replace("http://127.0.0.1:7777", fresh.endpoint).replace("$PWD/daypass-data", str(fresh.data))
    cli = os.path.dirname(os.environ.get("DAYPASS_AWS_CLI", ""))
    path = f"{cli}:{os.environ['PATH']}" if cli else os.environ["PATH"]
    environment = {**clean_environment(), "PATH": path, "AWS_CONFIG_FILE": os.environ["AWS_CONFIG_FILE"], "AWS_PAGER": ""}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    # One call is refused, and says why; everything else is silent about errors.
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(errors) == 1, done.stderr
    assert "(AccessDenied)" in errors[0], done.stderr
    assert "because no identity-based policy allows the iam:ListUsers action" in errors[0]
    # The last one answers with what root made.
    last = done.stdout.rindex('{\n    "Users"')
    assert [user["UserName"] for user in json.loads(done.stdout[last:])["Users"]] == ["alice"]
