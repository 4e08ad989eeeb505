"""The README's five minutes, typed as they stand there."""

import json
import os
import re
import subprocess

import pytest

from support.server import ROOT, Server, binary, clean_environment


@pytest.fixture(params=["without a demo", "after the demo"])
def served(environment, tmp_path, request):
    """The README begins with the demo, which leaves its data where the server looks for it; or it is begun further down."""
    if request.param == "after the demo":
        command = [binary(), "demo", "--data", str(tmp_path / "data")]
        demo = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=300)
        assert demo.returncode == 0, demo.stdout + demo.stderr
    server = Server(tmp_path)
    yield server
    server.stop()


def blocks(after, before):
    """The shell blocks of the README between two of its sentences, one after the other."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return "".join(re.findall(r"```sh\n(.*?)```", text.split(after, 1)[1].split(before, 1)[0], re.DOTALL))


# What a reader may have: a default profile that is a role, and a proxy.
PROFILE = "[default]\nrole_arn = arn:aws:iam::111122223333:role/work\nsource_profile = default\n"
PROXY = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost"}


def test_the_five_minutes_work_as_they_are_written(served, tmp_path):
    script = blocks("In another terminal, in the same directory, you are root", "boto3 and the other SDKs")
    script = script.replace("http://127.0.0.1:7777", served.endpoint).replace("$PWD/daypass-data", str(served.data))
    script += "aws sts get-caller-identity --query Arn --output text\n"
    cli = os.path.dirname(os.environ.get("DAYPASS_AWS_CLI", ""))
    path = f"{cli}:{os.environ['PATH']}" if cli else os.environ["PATH"]
    config = tmp_path / "config"
    config.write_text(PROFILE, encoding="utf-8")
    environment = {**clean_environment(), **PROXY, "PATH": path, "AWS_CONFIG_FILE": str(config), "AWS_PAGER": ""}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    # One call is refused, and says why; everything else is silent about errors.
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(errors) == 1, done.stderr
    assert "(AccessDenied)" in errors[0], done.stderr
    assert "because no identity-based policy allows the iam:ListUsers action" in errors[0]
    # The last one answers with what root made, and it is the session that asked.
    last = done.stdout.rindex('{\n    "Users"')
    users, end = json.JSONDecoder().raw_decode(done.stdout[last:])
    assert "alice" in [user["UserName"] for user in users["Users"]]
    assert done.stdout[last + end :].strip().endswith(":assumed-role/auditor/me"), done.stdout
