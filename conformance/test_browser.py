"""The doors for people in a real browser, Debian's Chromium: arrival, keyboard, strangers, departure, and how pages look.

`DAYPASS_SCREENSHOTS=<folder>` leaves pictures of every page there.
"""

import json
import re
import typing

import pytest

from support.browser import credentials, nothing_to_take, seen_by_eye
from support.client import ALLOW_ALL, Account, House, allow, refused, trust
from support.server import Keys, Server
from support.visitor import Visitor

ISSUER = "https://portal.example.test/start?team=blue"
SESSION_PATH = re.compile(r"/console/s/[0-9a-f]{32}/")


@pytest.fixture(scope="module")
def role(home):
    return home.role(trust(home.root_arn), json.dumps(ALLOW_ALL), prefix="browser")


@pytest.fixture
def link(server, admin, role):
    """A fresh link for a session of the role, under this name."""

    def made(session="ada", **more):
        return f"{server.endpoint}{Visitor(server).link(admin.assume(role, session), **more)}"

    return made


# --- arrival ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["", "_blank"])
@pytest.mark.parametrize("javascript", [True, False])
def test_link_of_another_site_leads_to_the_session(browser, link, role, javascript, target):
    seen = browser.play("follow", link=link(), javascript=javascript, target=target)
    assert "Your session" in seen["title"] and f"{role['RoleName']} / ada" in seen["text"]
    # The cookie is SameSite=Strict: the browser comes without it from elsewhere, and with it from our own page.
    there, _, again = seen["url"].partition("?")
    assert SESSION_PATH.fullmatch(there.removeprefix(browser.server.endpoint)) and again == "again"
    # Of a tab that a link opens, Playwright tells from its second address on.
    assert seen["addresses"][-2:] == [there, seen["url"]] or (target and seen["addresses"] == [seen["url"]])
    nothing_to_take(seen)


def test_link_in_the_address_bar_leads_to_the_session_at_once(browser, link):
    answer = browser.ask("enter", link=link())
    seen = answer["seen"]
    assert answer["troubles"] == []
    assert seen["addresses"] == [seen["url"]] and SESSION_PATH.search(seen["url"])
    nothing_to_take(seen)
    # One for its own pages, and one for the page where programs ask.
    paths = {cookie["path"] for cookie in answer["cookies"]}
    assert {browser.address(path) for path in paths} == {seen["url"], browser.address("/v1/authorize")}
    for cookie in answer["cookies"]:
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)


def test_two_identities_in_two_tabs_at_once(browser, link, house):
    seen = browser.play("together", links=[link("ada"), link("grace")])
    ada, grace = (credentials(sight["text"]) for sight in seen["both"])
    assert house.sts(grace).get_caller_identity()["Arn"].endswith("/grace")
    assert " / ada" in seen["both"][0]["text"] and " / grace" in seen["both"][1]["text"]
    assert "signed out" in seen["left"]["text"] and " / grace" in seen["stays"]["text"]
    with refused("ExpiredToken"):
        house.sts(ada).get_caller_identity()


# --- keyboard --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_everything_by_keyboard_with_a_focus_that_shows(browser, link, house, javascript):
    seen = browser.play("keyboardOnly", link=link(issuer=ISSUER), javascript=javascript)
    assert seen_by_eye(seen["stops"]) == [
        *("Linux and macOS", "Your session", "Sessions", "Switch role", "Show credentials", "PowerShell"),
        *("PowerShell", "Linux and macOS", "Sign out"),
    ]
    shell, powershell = seen["lines"]["shell"], seen["lines"]["powershell"]
    assert re.fullmatch(
        r"export AWS_ACCESS_KEY_ID='ASIA\w+'\nexport AWS_SECRET_ACCESS_KEY='[^']+'\nexport AWS_SESSION_TOKEN='[^']+'\n"
        r"export AWS_REGION='us-east-1' AWS_DEFAULT_REGION='us-east-1'",
        shell,
    ), shell.partition("SECRET")[0]
    assert powershell == shell.replace("export ", "$Env:").replace(" AWS_DEFAULT", "; $Env:AWS_DEFAULT")
    # They were real, and ended with the session.
    with refused("ExpiredToken"):
        house.sts(credentials(shell)).get_caller_identity()
    assert ISSUER in seen["left"]["text"]


# --- departure, and what was never there -------------------------------------------------------------------


def test_link_works_once(browser, link):
    address = link()
    browser.play("enter", link=address)
    # Chromium's console notes every answer that is an error.
    answer = browser.ask("open", address=address, heading="This link does not work")
    seen = answer["seen"]
    assert seen["status"] == 400 and "it was used" in seen["text"] and answer["cookies"] == []
    assert [trouble for trouble in answer["troubles"] if "status of 400" not in trouble] == []


@pytest.mark.parametrize("token", ["", "garbage", "%00", "A" * 2000])
def test_link_that_is_none(browser, token):
    path = f"/federation?Action=login&Destination=%2Fconsole%2F&SigninToken={token}"
    answer = browser.ask("open", address=browser.address(path), heading="This link does not work")
    assert answer["seen"]["status"] == 400 and answer["cookies"] == []


@pytest.mark.parametrize("path", ["/console", "/console/"])
def test_console_without_a_session(browser, path):
    seen = browser.play("open", address=browser.address(path), heading="You are not signed in")
    assert len(seen["addresses"]) == 1


def test_page_without_its_cookie_asks_once_more_and_no_more(browser, link):
    there = browser.play("enter", link=link())["url"]
    seen = browser.play("open", address=there, heading="You are not signed in")
    assert seen["addresses"] == [there, f"{there}?again"]


def test_session_that_was_ended(browser, link, home, admin):
    answer = browser.ask("enter", link=link(issuer=ISSUER))
    there, cookies = answer["seen"]["url"], answer["cookies"]
    home.daypass.revoke_session(SessionId=there.split("/")[-2])
    answer = browser.ask("open", address=there, cookies=cookies, heading="Your session has ended")
    # Chromium notes that the answer is a refusal.
    assert [trouble for trouble in answer["troubles"] if "status of 403" not in trouble] == []
    assert ISSUER in answer["seen"]["text"] and answer["cookies"] == []


def test_sign_out_in_another_tab(browser, link):
    seen = browser.play("signOutInAnotherTab", link=link())
    assert all(" / ada" not in sight["text"] for sight in seen.values())


def test_back_after_sign_out_shows_nothing_of_the_session(browser, link):
    answer = browser.ask("backAfterSignOut", link=link())
    seen = answer["seen"]
    keys = credentials(seen["given"]["text"])
    assert len(seen["shown"]) == 2, "the page with credentials, and the one before"
    for shown in seen["shown"]:
        assert not any(told in shown["text"] for told in (keys.id, keys.secret, " / ada")), shown


# --- strangers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signed_in(browser, server, admin, role):
    """Somebody's session: address, cookies and the codes of its forms."""
    link = Visitor(server).link(admin.assume(role, "ada"))
    answer = browser.ask("enter", link=browser.address(link))
    return answer["seen"]["url"], answer["cookies"], answer["seen"]["codes"]


@pytest.mark.parametrize("place", ["", "credentials", "sign-out", "sessions", "switch-role", "lobby"])
def test_no_page_stands_in_a_frame_of_another_site(browser, signed_in, place):
    there, cookies, _ = signed_in
    address = browser.address("/console/") if place == "lobby" else f"{there}{place}"
    answer = browser.ask("framed", address=address, cookies=cookies)
    assert answer["seen"]["url"].startswith("chrome-error:") and "signed in" not in answer["seen"]["text"]
    assert any("frame-ancestors" in trouble for trouble in answer["troubles"]), answer["troubles"]


@pytest.mark.parametrize("place", ["credentials", "sign-out"])
def test_form_of_another_site_does_nothing(browser, signed_in, place):
    there, cookies, codes = signed_in
    action = f"{there}{place}"
    seen = browser.play("forged", action=action, fields={"code": codes[action]}, path=there, cookies=cookies)
    assert seen["sent"] == {"cookie": None, "site": "cross-site"}
    for sight in (seen["after"], seen["still"]):
        assert " / ada" in sight["text"] and "AWS_SECRET_ACCESS_KEY" not in sight["text"]


# --- how pages look ----------------------------------------------------------------------------------------

GRAFANA = "https://grafana.example.test/"
# Names as long as they may be, which have to go into a narrow window.
LONG = "a-name-that-is-as-long-as-names-of-roles-and-sessions-may-be-x64"
TAGS = [{"Key": "Department", "Value": "Data Platform"}, {"Key": "CostCentre", "Value": "0" * 200}]
PAGES = {
    "session": {"presses": [], "inside": True},
    "credentials": {"presses": ["Show credentials", "PowerShell"], "inside": True},
    "federated": {"inside": True},
    "signed-out": {"presses": ["Sign out"], "heading": "You are signed out"},
    "form-refused": {"presses": ["Sign out"], "spoiled": True, "heading": "This did not work"},
    "link-refused": {"path": "/federation?Action=login&SigninToken=garbage", "heading": "This link does not work"},
    "not-signed-in": {"path": "/console/", "heading": "You are not signed in"},
    "signing-in": {"path": f"/console/s/{'0' * 32}/", "held": True, "heading": "Signing in"},
    "ended": {"heading": "Your session has ended"},
    "sessions": {"place": "sessions", "heading": "Sessions", "inside": True},
    "sessions-none": {"place": "sessions?by=key&text=ASIA0000000000000000&ended=1", "heading": "Sessions", "inside": True},
    "one-session": {"place": "sessions/{session}", "heading": "{named}", "inside": True},
    "one-that-ended": {"place": "sessions/{gone}", "heading": "assumed-role/{broker}/gone", "inside": True},
    "one-session-to-end": {"place": "sessions/{session}", "presses": ["End all sessions of its principal…"], "heading": "{named}", "inside": True},
    "one-just-ended": {"place": "sessions/{gone}", "sends": "End it and all that it issued", "heading": "assumed-role/{broker}/gone", "inside": True},
    "switch-role": {"place": "switch-role", "heading": "Switch role", "inside": True},
    "switch-refused": {
        **{"place": "switch-role", "typed": {"Role name": "nobody-has-it"}, "presses": ["Switch"]},
        **{"heading": "Switch role", "alert": True, "inside": True},
    },
    "denied": {"place": "sessions", "heading": "This did not work"},
}


@pytest.fixture(scope="module")
def furnished(environment, tmp_path_factory):
    """A server with a place that sign-ins may lead to; its first account, and a visitor's way in for two sessions."""
    server = Server(tmp_path_factory.mktemp("looked-at"), "--console-destination", GRAFANA)
    home = Account(House(server), server.root_keys())
    user = home.user(json.dumps(ALLOW_ALL), prefix="grace")
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    first = home.role(trust(home.root_arn, actions), json.dumps(ALLOW_ALL), prefix="broker")
    home.iam.create_role(RoleName=LONG, AssumeRolePolicyDocument=trust(home.root_arn, actions))
    keys = user.assume(first, "grace.hopper@example.test", SourceIdentity="grace.hopper@example.test")
    asked = {"RoleArn": f"arn:aws:iam::{home.id}:role/{LONG}", "RoleSessionName": LONG, "Tags": TAGS, "Policy": allow("iam:*")}
    narrow = Keys.of(House(server).sts(keys).assume_role(**asked)["Credentials"])
    gone = user.assume(first, "gone")
    known = {known: session_of(home, keys) for known, keys in (("session", keys), ("gone", gone))}
    home.daypass.revoke_session(SessionId=known["gone"]["SessionId"])
    names = {"broker": first["RoleName"], "named": known["session"]["Arn"].split(":", 5)[5]}
    yield Furnished(server, home, narrow, keys, {**names, **{name: row["SessionId"] for name, row in known.items()}})
    assert server.stop() == 0


class Furnished(typing.NamedTuple):
    """Where pages are looked at: two sessions, the narrow one of which may see little, and what is to be put into places."""

    server: Server
    home: Account
    narrow: Keys
    broker: Keys
    names: dict


def session_of(home, keys):
    """What is known of the session with these keys."""
    [found] = [row for row in home.daypass.list_sessions(AccessKeyId=keys.id)["Sessions"] if row["AccessKeyId"] == keys.id]
    return found


def way_in(page, furnished, browser):
    """An address for this page, and the cookies that it takes."""
    server, asked = furnished.server, PAGES[page]
    if "path" in asked:
        return f"{server.endpoint}{asked['path']}", []
    if page == "federated":
        return f"{server.endpoint}{Visitor(server).link(furnished.home.federated('grace'))}", []
    keys = furnished.broker if asked.get("inside") and "place" in asked else furnished.narrow
    link = f"{server.endpoint}{Visitor(server).link(keys, destination=f'{GRAFANA}d/abc?orgId=1', issuer=ISSUER)}"
    if page != "ended":
        return link, []
    answer = browser.ask("enter", link=link, server=server.endpoint)
    there = answer["seen"]["url"]
    furnished.home.daypass.revoke_session(SessionId=there.split("/")[-2])
    return there, answer["cookies"]


@pytest.mark.parametrize("page", PAGES)
def test_page_is_readable_for_everybody(browser, furnished, page):
    address, cookies = way_in(page, furnished, browser)
    asked = {known: value for known, value in PAGES[page].items() if known not in ("path", "inside")}
    for known in {"place", "heading"} & asked.keys():
        asked[known] = asked[known].format(**furnished.names)
    landmarks = browser.look(page, address=address, cookies=cookies, server=furnished.server.endpoint, **asked)
    assert landmarks == (("header", "nav", "main") if PAGES[page].get("inside") else ("header", "main"))
