"""The units in docs/systemd.md: systemd takes them, and what they set are settings."""

import re
import shutil
import subprocess

import pytest
from support.server import ROOT, binary, clean_environment

PAGE = (ROOT / "docs/systemd.md").read_text(encoding="utf-8")
UNITS = dict(re.findall(r"<!-- unit: (\S+) -->\n```ini\n(.*?)```", PAGE, re.DOTALL))


def test_there_is_one_for_each():
    assert sorted(UNITS) == ["daypass-agent.service", "daypass.service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze on this machine")
@pytest.mark.parametrize("unit", sorted(UNITS))
def test_systemd_takes_the_unit(unit, tmp_path):
    path = tmp_path / unit
    assert UNITS[unit].count("/usr/local/bin/daypass ") == 1

    def verify(text):
        path.write_text(text.replace("/usr/local/bin/daypass", binary()), encoding="utf-8")
        command = ["systemd-analyze", "verify", "--man=no", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)
        # It tells of other units of the machine as well.
        return [line for line in done.stderr.splitlines() if unit in line]

    assert verify(UNITS[unit]) == []
    assert verify(UNITS[unit].replace("ProtectHome=yes", "ProtectHomes=yes")), "it would have said so"


@pytest.mark.parametrize("unit, command", [("daypass.service", "serve"), ("daypass-agent.service", "agent")])
def test_what_a_unit_sets_is_a_setting(unit, command):
    told = subprocess.run([binary(), command, "--help"], capture_output=True, text=True, env=clean_environment(), timeout=60)
    known = set(re.findall(r"\[env: (DAYPASS_\w+)=", told.stdout))
    of_unit = set(re.findall(r"^Environment=(DAYPASS_\w+)=", UNITS[unit], re.MULTILINE))
    assert len(of_unit) == 5 and of_unit <= known, of_unit - known
    of_page = set(re.findall(r"DAYPASS_AGENT_\w+", PAGE)) if command == "agent" else of_unit
    assert of_page <= known
