"""docs/federation.md and the pages of the vendors: every policy in them can be written as it stands there, and the pages are
all there."""

import re
import subprocess

import pytest

from support.server import ROOT, binary, clean_environment

ENTRY = ROOT / "docs/federation.md"
PAGES = [ENTRY, *sorted((ROOT / "docs/federation").glob("*.md"))]
POLICIES = [
    pytest.param(policy, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, policy in enumerate(re.findall(r"```json\n(\{\"Version\".*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]
# A reader who validates what he copied should see no warning.
FAIL_ON = "warning"


def validate(policy):
    kind = "trust" if '"Principal"' in policy else "identity"
    command = [binary(), "policy", "validate", "--kind", kind, "--fail-on", FAIL_ON, "-"]
    return subprocess.run(command, input=policy, capture_output=True, text=True, env=clean_environment(), timeout=60)


@pytest.mark.parametrize("policy", POLICIES)
def test_policy_is_valid(policy):
    done = validate(policy)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_policy_that_trusts_everybody_is_not():
    policy = next(param.values[0] for param in POLICIES if param.id == "github-actions-0")
    done = validate(re.sub(r"githubusercontent\.com:sub", "githubusercontent.com:actor", policy))
    assert done.returncode == 1 and "MISSING_CONDITION_FOR_SHARED_ISSUER" in done.stdout


@pytest.mark.parametrize(
    "page,key,wrong",
    [
        ("gitlab", "gitlab.com:project_id", "gitlab.com:projectid"),
        ("github-actions", "githubusercontent.com:repository_owner_id", "githubusercontent.com:repository_ownerid"),
        ("saml-okta", "saml:aud", "saml:audience"),
        ("outbound", "sts:DurationSeconds", "sts:DurationSecond"),
    ],
)
def test_a_key_that_nobody_has_is_told(page, key, wrong):
    policies = [param.values[0] for param in POLICIES if param.id.startswith(f"{page}-") and f'{key}"' in param.values[0]]
    for policy in policies:
        done = validate(policy.replace(f'{key}"', f'{wrong}"'))
        assert done.returncode == 1 and f"{key}`?" in done.stdout, done.stdout
    assert policies


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_has_a_policy_and_nothing_else_in_json(page):
    text = page.read_text(encoding="utf-8")
    policies = re.findall(r"```json\n\{\"Version\"", text)
    assert policies and len(policies) == text.count("```json")


def test_the_entry_page_leads_to_every_page():
    linked = set(re.findall(r"\]\(federation/([\w-]+\.md)\)", ENTRY.read_text(encoding="utf-8")))
    assert linked == {page.name for page in PAGES if page != ENTRY}
