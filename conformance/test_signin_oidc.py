"""`/signin/oidc/…`: people sign in at an OpenID Connect provider, npm's certified `oidc-provider`, and take a role here.

Sources: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (the issuer in the answer).
"""

import urllib.parse

import pytest

from support.oidc_place import BACK, PATH, Place
from support.visitor import Visitor

OVER = "The sign-in was not begun in this browser, took longer than ten minutes, or was done before. Begin again."


@pytest.fixture(scope="module")
def place(certified, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("signin-oidc"), certified)
    yield place
    assert place.server.stop() == 0


def test_person_signs_in_at_the_provider_and_has_a_role(place):
    role = place.role("alice")
    visitor, entered = place.signs_in("alice")
    assert entered.status == 302 and entered.location.startswith("/console/s/"), entered.text
    page = visitor.get(entered.location)
    assert f":assumed-role/{role['RoleName']}/alice@example.test" in page.text
    [session] = place.home.daypass.list_sessions(PrincipalArn=role["Arn"])["Sessions"]
    assert session["Description"] == "Console"


def test_whoever_no_role_lets_in_stays_outside(place):
    place.role("somebody")
    _, refused = place.signs_in("mallory")
    assert refused.status == 403 and "Set-Cookie" not in refused.headers


def test_one_of_several_roles_is_chosen(place):
    roles = [place.role("carol"), place.role("carol")]
    visitor, asked = place.signs_in("carol")
    form = asked.forms()[f"{PATH}/role"]
    assert all(role["Arn"] in asked.text for role in roles)
    entered = visitor.post(f"{PATH}/role", {**form, "roleIndex": roles[1]["Arn"]})
    assert entered.status == 302, entered.text
    assert roles[1]["RoleName"] in visitor.get(entered.location).text
    again = visitor.post(f"{PATH}/role", {**form, "roleIndex": roles[0]["Arn"]})
    assert again.status == 403, "the browser has another secret, or the choice was made"


def test_what_comes_back_counts_in_its_browser_and_once(place):
    place.role("dave")
    visitor = Visitor(place.server)
    address = place.provider.signs_in(place.leaves(visitor), "dave", BACK)
    stranger = Visitor(place.server)
    for thief in (stranger, stranger):
        stolen = place.comes_back(thief, address)
        assert stolen.status == 403 and OVER in stolen.text
        place.leaves(stranger)
    assert f"iss={urllib.parse.quote(place.provider.url, safe='')}" in address
    mixed = place.comes_back(visitor, address.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F&was="))
    assert mixed.status == 403 and "another identity provider" in mixed.text
    assert place.comes_back(visitor, address).status == 302
    assert OVER in place.comes_back(visitor, address).text


def test_person_who_is_not_signed_in_is_told_the_providers_word(place):
    visitor = Visitor(place.server)
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place.leaves(visitor)).query))["state"]
    asked = urllib.parse.urlencode({"error": "access_denied", "error_description": "<b>x</b>", "state": state, "iss": place.provider.url})
    refused = visitor.get(f"{PATH}/callback?{asked}")
    assert refused.status == 403 and "did not sign you in: access_denied" in refused.text
    assert "<b>x" not in refused.text


def test_form_of_the_account_leads_there(place):
    page = Visitor(place.server).get(f"/signin/{place.home.id}")
    assert f'href="{PATH}"' in page.text
    assert PATH not in Visitor(place.server).get("/signin").text, "which accounts have which is nobody else's business"


def test_server_writes_neither_secret_nor_codes_nor_tokens(place):
    place.role("erin")
    assert place.signs_in("erin")[1].status == 302
    written = place.server.stderr() + "".join(path.read_text(encoding="utf-8") for path in place.server.audits())
    assert "an identity provider" in written or "ConsoleLogin" in written
    assert not any(secret in written for secret in (place.provider.secret, *place.codes, "eyJ"))
