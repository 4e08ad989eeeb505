"""`/saml` in a real browser: somebody comes from the page of their company's identity provider, which pysaml2 is, and is in,
or chooses a role.

AWS source: "Enabling SAML 2.0 federated principals to access the AWS Management Console" in the IAM User Guide; how programs
read the chooser is saml2aws's `aws_account.go`.

`DAYPASS_SCREENSHOTS=<folder>` leaves pictures of every page there.
"""

import pytest

from support.browser import credentials, nothing_to_take, seen_by_eye
from support.client import allow, trust
from support.saml_idp import Pysaml2, roles
from support.secrets import hold
from support.vouched import SAML_ACTIONS, SamlProvider, assume

USED = "The SAML Assertion was used before"


@pytest.fixture(scope="module")
def idp(environment, tmp_path_factory):
    return Pysaml2(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def provider(home, idp):
    return SamlProvider(home, idp.metadata())


@pytest.fixture(scope="module")
def elsewhere(other, idp):
    """The same company in another account."""
    return SamlProvider(other, idp.metadata())


@pytest.fixture
def sent(browser, idp):
    """The form of the provider's page, with a response for these roles."""

    def made(*listed, **more):
        response = idp.response(roles(*listed))
        hold("SAML response", response)
        return {"action": browser.address("/saml"), "fields": {"SAMLResponse": response, **more}}

    return made


@pytest.mark.parametrize(("by_itself", "javascript"), [(True, True), (False, True), (False, False)])
def test_one_role_is_entered_at_once_from_the_page_of_another_site(browser, provider, sent, by_itself, javascript):
    role = provider.role()
    seen = browser.play("bring", **sent(role, RelayState=""), byItself=by_itself, javascript=javascript)
    assert f"{role.name} / alice@example.test" in seen["text"]
    # The cookie is SameSite=Strict: the browser came from elsewhere without it, and once more from our own page.
    there, _, again = seen["url"].partition("?")
    assert again == "again" and seen["addresses"][-2:] == [there, seen["url"]]
    assert not any("/saml" in address for address in seen["addresses"])
    nothing_to_take(seen)


@pytest.mark.parametrize("javascript", [True, False])
def test_role_is_chosen_by_keyboard_alone(browser, provider, elsewhere, sent, javascript):
    listed = [provider.role(), provider.role(), elsewhere.role()]
    given = sent(*listed, RelayState="somewhere")
    seen = browser.play("choose", **given, down=1, javascript=javascript)
    in_order = sorted(listed, key=lambda role: role.arn.split(":")[4])
    shown = [role["name"] for account in seen["chooser"]["accounts"] for role in account["roles"]]
    assert shown == [role.name for role in in_order]
    # A group of radio buttons is one stop, and arrows lead through it.
    assert seen_by_eye(seen["stops"]) == [shown[0], "Sign in"]
    assert f"{shown[1]} / alice@example.test" in seen["text"]
    # From our own page the browser brings the cookie at once.
    assert "?" not in seen["url"] and seen["addresses"][-1] == seen["url"]
    nothing_to_take(seen)


def test_chooser_is_read_by_programs_as_awss_is(browser, house, provider, elsewhere, sent):
    listed = [provider.role(), provider.role(Path="/team/"), elsewhere.role()]
    given = sent(*listed, RelayState="somewhere")
    seen = browser.play("choose", **given, down=0)
    chooser = seen["chooser"]
    read = {account["name"]: account["roles"] for account in chooser["accounts"]}
    accounts = sorted({role.arn.split(":")[4] for role in listed})
    assert list(read) == [f"Account: {account}" for account in accounts]
    for account, its in read.items():
        wanted = [role for role in listed if f":{account.removeprefix('Account: ')}:" in role.arn]
        assert its == [{"name": role.name, "arn": role.arn, "value": role.arn} for role in wanted]
    # What the form sends on is what came, and the role that is marked.
    first = next(iter(read.values()))[0]["arn"]
    assert chooser["action"] == given["action"]
    assert chooser["fields"] == {**given["fields"], "roleIndex": first}
    # A program goes on with the call, for another of the roles.
    last = next(role for role in listed if role.arn != first)
    assert assume(house.nobody(), last, given["fields"]["SAMLResponse"])["Subject"] == "alice"


def test_response_opens_each_role_once(browser, provider, sent):
    first, second = provider.role(), provider.role()
    given = sent(first, second)
    both = [browser.play("choose", **given, down=down) for down in (0, 1)]
    assert [f"{role.name} / alice" in seen["text"] for role, seen in zip((first, second), both)] == [True, True]
    answer = browser.ask("chooseInVain", **given, down=1, heading="This did not work")
    assert USED in answer["seen"]["text"] and answer["cookies"] == []


@pytest.mark.parametrize("by_itself", [True, False])
def test_response_that_was_used_opens_nothing(browser, provider, sent, by_itself):
    given = sent(provider.role())
    browser.play("bring", **given)
    # Chromium's console notes every answer that is an error.
    answer = browser.ask("bringInVain", **given, byItself=by_itself, heading="This did not work")
    assert USED in answer["seen"]["text"] and answer["cookies"] == []
    assert [trouble for trouble in answer["troubles"] if "status of 400" not in trouble] == []


def test_role_that_does_not_trust_the_provider_is_not_offered(browser, provider, sent):
    condition = {"StringEquals": {"saml:sub": "somebody-else"}}
    closed, role = provider.role(condition), provider.role()
    seen = browser.play("bring", **sent(closed, role))
    assert f"{role.name} / alice" in seen["text"]
    answer = browser.ask("bringInVain", **sent(closed), heading="This did not work")
    assert "Not authorized to perform sts:AssumeRoleWithSAML" in answer["seen"]["text"] and answer["cookies"] == []


def test_credentials_of_a_session_that_began_with_saml_are_real(browser, house, provider, sent):
    role = provider.role(rights=allow("iam:ListRoles"))
    keys = credentials(browser.play("bring", **sent(role), press="Show credentials")["text"])
    assert house.sts(keys).get_caller_identity()["Arn"].endswith(f":assumed-role/{role.name}/alice@example.test")


# --- how pages look ----------------------------------------------------------------------------------------

LONG = "a-name-that-is-as-long-as-names-of-roles-may-be-with-its-x64"


def test_chooser_is_readable_for_everybody(browser, provider, elsewhere, sent):
    document = trust({"Federated": provider.arn}, SAML_ACTIONS)
    made = provider.home.iam.create_role(RoleName=LONG, AssumeRolePolicyDocument=document)["Role"]
    listed = [provider.role(), f"{made['Arn']},{provider.arn}", elsewhere.role(), elsewhere.role()]
    given = sent(*listed)
    landmarks = browser.look("choose-role", address=given["action"], sent=given["fields"], heading="Choose a role")
    assert landmarks == ("header", "main")


def test_refusal_is_readable_for_everybody(browser, provider, sent):
    given = sent(provider.role())
    browser.play("bring", **given)
    landmarks = browser.look("saml-refused", address=given["action"], sent=given["fields"], heading="This did not work")
    assert landmarks == ("header", "main")
