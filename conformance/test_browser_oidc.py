"""`/signin/oidc/…` in a real browser: from the form of the account to the provider, which is another site, and back to the
session, behind a proxy that has the TLS.

Sources: OpenID Connect Core 1.0, section 3.1; RFC 6265bis, sections 4.1.3.2 (`__Host-`) and 5.6.7 (SameSite).

`DAYPASS_SCREENSHOTS=<folder>` leaves pictures of every page there.
"""

import urllib.parse

import pytest

from support.authority import Authority
from support.browser import Browser, nothing_to_take, seen_by_eye
from support.oidc_place import NAME, PUBLIC, Place
from support.terminator import Terminator

LINK = "Sign in with northwind"


@pytest.fixture(scope="module")
def place(certified, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("browser-oidc"), certified)
    yield place
    assert place.server.stop() == 0


@pytest.fixture(scope="module")
def proxied(place, tmp_path_factory):
    """A browser for which the server's public name is where the proxy is."""
    authority = Authority(tmp_path_factory.mktemp("proxy"))
    inside = urllib.parse.urlsplit(place.server.endpoint)
    proxy = Terminator(authority.context(address=NAME), (inside.hostname, inside.port))
    browser = Browser(place.server, name=f"{NAME}={proxy.address}")
    yield browser
    assert browser.stop() == 0, browser.said
    proxy.stop()


def given(place, path="", **more):
    address = f"{PUBLIC}{path or f'/signin/{place.home.id}'}"
    return {"server": PUBLIC, "address": address, "asks": [place.provider.url], "anyCertificate": True, **more}


@pytest.mark.parametrize("javascript", [True, False])
def test_person_signs_in_at_the_provider_by_keyboard_alone(proxied, place, javascript):
    roles = [place.role("frida"), place.role("frida")]
    names = sorted(role["RoleName"] for role in roles)
    try:
        answer = proxied.ask("signInElsewhere", **given(place, link=LINK, first=names[0], down=1, javascript=javascript))
    finally:
        for role in roles:
            place.home.iam.delete_role_policy(RoleName=role["RoleName"], PolicyName="p0")
            place.home.iam.delete_role(RoleName=role["RoleName"])
    assert answer["troubles"] == []
    seen = answer["seen"]
    assert f"{names[1]} / frida@example.test" in seen["text"]
    assert seen_by_eye(seen["stops"])[-3:] == [LINK, names[0], "Sign in"]
    nothing_to_take(seen)
    assert not any("code=" in address or "id_token" in address for address in seen["history"][-1:])
    # Cookies that only this very host can set, and none that the provider's page has.
    ours = [cookie for cookie in answer["cookies"] if cookie["domain"] == NAME]
    assert ours and all(cookie["secure"] and cookie["httpOnly"] for cookie in ours)
    assert {cookie["name"][:7] for cookie in ours if cookie["path"] == "/"} == {"__Host-"}


def test_one_role_is_entered_at_once_and_pages_are_readable(proxied, place):
    role = place.role("frida")
    answer = proxied.ask("signInElsewhere", **given(place, link=LINK))
    assert answer["troubles"] == []
    assert f"{role['RoleName']} / frida@example.test" in answer["seen"]["text"]
    assert proxied.look("signin-oidc", **given(place, heading="Sign in")) == ("header", "main")
    place.role("frida")
    chooser = given(place, path="/signin/oidc/northwind", heading="Choose a role")
    assert proxied.look("signin-oidc-role", **chooser) == ("header", "main")
    over = given(place, path="/signin/oidc/northwind/callback?state=x&code=y", heading="This did not work")
    assert proxied.look("signin-oidc-over", **over) == ("header", "main")
