"""docs/tools.md, typed as it stands there: each block of commands prints the block of text that follows it. And every
page's blocks of commands can be pasted, and its links lead somewhere."""

import os
import re
import subprocess

import pytest

from support.server import ROOT, binary, clean_environment

PAGE = (ROOT / "docs/tools.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)


def test_every_block_of_commands_has_its_answer():
    assert len(EXAMPLES) == PAGE.count("```sh") == 3


@pytest.mark.parametrize("script, printed", EXAMPLES)
def test_the_page_works_as_it_is_written(script, printed, tmp_path):
    binaries = os.path.dirname(binary())
    environment = {**clean_environment(), "PATH": f"{binaries}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")]
WITH_COMMANDS = [page for page in PAGES if "```sh" in page.read_text(encoding="utf-8")]


def unpasteable(script):
    """Lines that zsh's prompt reads otherwise: there `#` begins no comment, so that its words are arguments and a command
    between backticks in it is run. (And `$NAME:role` cuts the extension off the value.)"""
    return [line for line in script.splitlines() if re.search(r"`|(^|\s)#|\$\w+:[a-zA-Z]", line)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_can_be_pasted_into_any_shell(page):
    scripts = re.findall(r"```(?:sh|bash|shell|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert scripts and [line for script in scripts for line in unpasteable(script)] == []


def test_what_a_prompt_reads_otherwise_is_found():
    assert len(PAGES) >= 4
    for line in ("ls  # here", "# all", "\t# all", "export A=`b`", "echo arn:aws:iam::$ACCOUNT:role/x"):
        assert unpasteable(f"true\n{line}\n") == [line]
    assert unpasteable("echo ${A##*/} a#b 'x'$ACCOUNT':role'\n") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """To files that are there, and headings that they have, as GitHub makes anchors of them."""
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name}: {target}#{anchor}"
