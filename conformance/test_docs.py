"""docs/tools.md, typed as it stands there: each block of commands prints the block of text that follows it."""

import os
import re
import subprocess

import pytest

from support.server import ROOT, binary, clean_environment

PAGE = (ROOT / "docs/tools.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


def test_every_block_of_commands_has_its_answer():
    assert len(EXAMPLES) == PAGE.count("```sh") == 2


@pytest.mark.parametrize("script, printed", EXAMPLES)
def test_the_page_works_as_it_is_written(script, printed, tmp_path):
    binaries = os.path.dirname(binary())
    environment = {**clean_environment(), "PATH": f"{binaries}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
