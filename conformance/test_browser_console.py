"""The console in a real browser: sessions that are found and ended, another role, and what is told to whoever may not.

`DAYPASS_SCREENSHOTS=<folder>` leaves pictures of every page there.
"""

import json
import re

import pytest

from support.browser import nothing_to_take, seen_by_eye
from support.client import ALLOW_ALL, allow, deny, name, refused, trust
from support.server import Keys
from support.visitor import Visitor

EVERYTHING = json.dumps(ALLOW_ALL)
ACTIONS = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
NO = "Invalid information in one or more fields. Check your information or contact your administrator."
BY_NAME, TEXT = "Role, user or session", "Value"
NAV = ["Your session", "Sessions", "Switch role"]


@pytest.fixture(scope="module")
def desk(home):
    """The role of whoever looks."""
    return home.role(trust(home.root_arn, ACTIONS), EVERYTHING, prefix="desk")


@pytest.fixture
def link(server, admin, desk):
    """A fresh link for a session of the desk."""
    return f"{server.endpoint}{Visitor(server).link(admin.assume(desk, 'ada'))}"


@pytest.fixture
def role(home):
    """A role whose sessions nobody else has."""
    return home.role(trust(home.root_arn, ACTIONS), EVERYTHING, prefix="suspect")


def on(keys, house):
    """Whether the session lives."""
    try:
        house.sts(keys).get_caller_identity()
    except house.sts(keys).exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ExpiredToken"
        return False
    return True


def session_of(home, keys):
    """The id of the session with these keys, and how its page is headed."""
    [found] = [row for row in home.daypass.list_sessions(AccessKeyId=keys.id)["Sessions"] if row["AccessKeyId"] == keys.id]
    return found["SessionId"], found["Arn"].split(":", 5)[5]


def down_from(house, keys, role, session="child"):
    """What a session of the role gets by assuming it once more."""
    return Keys.of(house.sts(keys).assume_role(RoleArn=role["Arn"], RoleSessionName=session)["Credentials"])


# --- the list --------------------------------------------------------------------------------------------


def test_session_is_found_by_each_of_its_names(browser, link, home, admin, role):
    person = f"{name('grace')}@example.test"
    keys = admin.assume(role, "night", SourceIdentity=person)
    admin.assume(role, "day")
    session, heading = session_of(home, keys)
    ways = {BY_NAME: role["RoleName"], "Source identity": person, "Access key id": keys.id, "ARN": role["Arn"]}
    searches = [{"by": by, "text": text} for by, text in ways.items()]
    for search, seen in zip(searches, browser.play("search", link=link, searches=searches)):
        [rows] = seen["pages"]
        # Two sessions have the role's name and ARN; the person and the key are those of one.
        others = {heading.replace("/night", "/day")} if search["by"] in (BY_NAME, "ARN") else set()
        assert {row["name"] for row in rows} == {heading, *others} and not seen["isMore"], search
        [row] = [row for row in rows if row["name"] == heading]
        assert row["href"].endswith(f"/sessions/{session}")
        for told in (person, admin.name, "live, ", " min left", "127.0.0.1"):
            assert told in row["text"], search
        assert seen["kept"] == {**search, "ended": False}
        assert keys.id not in seen["text"] and seen["readable"]["cookie"] == ""


def test_ended_sessions_are_shown_to_whoever_wants_them(browser, link, home, admin, role):
    keys = admin.assume(role, "gone")
    home.daypass.revoke_session(SessionId=session_of(home, keys)[0])
    wanted = {"by": BY_NAME, "text": role["RoleName"]}
    without, with_them = browser.play("search", link=link, searches=[wanted, {**wanted, "ended": True}])
    assert without["pages"] == [[]] and "No such session." in without["text"]
    [[row]] = with_them["pages"]
    assert "ended" in row["text"] and with_them["kept"] == {**wanted, "ended": True}


@pytest.mark.parametrize("ended", [False, True])
def test_fifty_are_on_a_page_and_older_ones_behind_it(browser, link, admin, home, house, role, ended):
    made = {f"of-many-{number:02}" for number in range(53)}
    for session in made:
        admin.assume(role, session)
    if ended:
        home.daypass.revoke_session(PrincipalArn=role["Arn"])
    search = {"by": BY_NAME, "text": role["RoleName"], "ended": ended, "older": 1}
    [seen] = browser.play("search", link=link, searches=[search])
    first, second = ([row["name"].rsplit("/")[-1] for row in page] for page in seen["pages"])
    assert len(first) == 50 and sorted(first + second) == sorted(made)
    assert not seen["isMore"] and seen["kept"] == {"by": BY_NAME, "text": role["RoleName"], "ended": ended}


# --- one of them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_session_is_found_and_ended_by_keyboard_alone(browser, link, home, house, admin, role, javascript):
    keys = admin.assume(role, "stolen")
    _, heading = session_of(home, keys)
    asked = {"text": role["RoleName"], "name": heading, "end": "End this session"}
    seen = browser.play("findAndEnd", link=link, javascript=javascript, **asked)
    assert seen_by_eye(seen["stops"]) == [
        *NAV[:2],
        *(*NAV, "Search by"),
        TEXT,
        *(*NAV, "Search by", TEXT, "Ended ones too", "Search", heading),
        *NAV, "End this session",
    ]
    assert "left" in seen["before"]["text"] and "End this session" in seen["before"]["text"]
    after = seen["after"]
    assert "End this session" not in after["text"] and after["url"].startswith(f"{seen['before']['url']}?ended=this&told=")
    assert "Ended: this session. What it issued goes on." in after["text"]
    nothing_to_take(after)
    with refused("ExpiredToken", status=403):
        house.sts(keys).get_caller_identity()


def test_page_of_a_session_tells_its_chain_and_what_it_issued(browser, link, home, house, admin, role):
    first = admin.assume(role, "first", SourceIdentity="grace")
    middle = down_from(house, first, role, "middle")
    last = down_from(house, middle, role, "last")
    session, heading = session_of(home, middle)
    shown = browser.play("oneSession", link=link, session=session)["shown"]
    arn = f"arn:aws:sts::{home.id}:{heading}"
    assert shown["chain"] == [admin.arn, arn.replace("/middle", "/first"), arn]
    assert [row["href"].rsplit("/")[-1] for row in shown["issued"]] == [session_of(home, last)[0]]
    for told in (middle.id, first.id, session, "grace", "not given", "Botocore"):
        assert told in shown["text"], told
    assert middle.secret not in shown["text"] and middle.token not in shown["text"]


ENDS = {
    "End this session": {"before": True, "this": False, "issued": True, "other": True},
    "End it and all that it issued": {"before": True, "this": False, "issued": False, "other": True},
    "End all sessions of its principal": {"before": False, "this": False, "issued": False, "other": False},
}


DONE = {
    "End this session": "Ended: this session",
    "End it and all that it issued": "Ended: this session and all that it issued",
    "End all sessions of its principal": "Ended: every session of {} that was issued by then, and all that they and its access keys asked for",
}


def test_an_address_alone_says_nothing_and_an_end_says_what_it_was(server, home, house, admin, role, link):
    keys = admin.assume(role, "stays")
    session, _ = session_of(home, keys)
    visitor = Visitor(server)
    entered = visitor.get(link.removeprefix(server.endpoint))
    place = f"{entered.location}sessions/{session}"
    alone = visitor.get(f"{place}?ended=principal")
    assert alone.status == 200 and 'role="status"' not in alone.text and on(keys, house)
    # What it was is known by the answer to the form alone: not by the session's state, nor by another end's address.
    forms = visitor.get(place).forms()
    led = visitor.post(f"{place}/revoke", {"code": forms[f"{place}/revoke"]["code"], "end": "this"}).location
    assert "Ended: this session. What it issued goes on." in visitor.get(led).text
    for other in (f"{place}?ended=principal", led.replace("ended=this", "ended=principal")):
        assert 'role="status"' not in visitor.get(other).text, other


@pytest.mark.parametrize("end", ENDS)
def test_each_end_ends_what_it_says(browser, link, home, house, admin, role, end):
    before = admin.assume(role, "before")
    this = down_from(house, before, role, "this")
    sessions = {"before": before, "this": this, "issued": down_from(house, this, role), "other": admin.assume(role, "other")}
    session, heading = session_of(home, this)
    seen = browser.play("oneSession", link=link, session=session, press=end, heading=heading)
    # The answer to the form leads on: loading its page again ends nothing.
    assert seen["status"] == 303
    assert {known: on(keys, house) for known, keys in sessions.items()} == ENDS[end]
    buttons = seen["after"]["buttons"]
    assert "End this session" not in buttons and ("End all sessions of its principal" in buttons) == (end == "End all sessions of its principal")
    assert [told.split(".")[0] for told in seen["after"]["done"]] == [DONE[end].format(role["Arn"])]


def test_whoever_ends_their_own_session_is_told_so(browser, server, home, admin, desk):
    link = Visitor(server).link(admin.assume(desk, "self"), issuer="https://portal.example.test/")
    answer = browser.ask("enter", link=browser.address(link))
    own = answer["seen"]["url"].split("/")[-2]
    visitor = Visitor.with_cookies(server, answer["cookies"])
    path = f"/console/s/{own}/"
    page = visitor.get(f"{path}sessions/{own}")
    [(action, fields)] = page.forms().items()
    gone = visitor.post(action, {"code": fields["code"], "end": "this"})
    assert gone.status == 303
    ended = visitor.get(gone.location)
    assert "Your session has ended" in ended.text and "https://portal.example.test/" in ended.text


# --- whoever may not -------------------------------------------------------------------------------------

DENIED = "is not authorized to perform: daypass:{}"


@pytest.mark.parametrize("place", ["sessions", "sessions/"])
def test_whoever_may_not_look_is_told_so_and_led_back(browser, server, home, admin, role, place):
    user = home.user(allow("sts:GetFederationToken"), prefix="small")
    link = Visitor(server).link(home.federated("grace", allow("iam:ListUsers"), by=user))
    if place.endswith("/"):
        place += session_of(home, admin.assume(role, "secret"))[0]
    answer = browser.ask("denied", link=browser.address(link), place=place, heading="This did not work")
    seen = answer["seen"]
    assert seen["status"] == 403 and [told for told in answer["troubles"] if "status of 403" not in told] == []
    action = "ListSessions" if place == "sessions" else "GetSessionChain"
    assert DENIED.format(action) in seen["there"]["text"] and "/secret" not in seen["there"]["text"]
    assert "grace" in seen["back"]["text"]


def test_whoever_may_look_and_not_end_ends_nothing(browser, server, home, house, admin, role):
    reader = home.role(trust(home.root_arn), EVERYTHING, deny("daypass:RevokeSession"), prefix="reader")
    link = browser.address(Visitor(server).link(admin.assume(reader, "ada")))
    keys = admin.assume(role, "stays")
    session, _ = session_of(home, keys)
    asked = {"session": session, "press": "End this session", "heading": "This did not work"}
    answer = browser.ask("oneSession", link=link, **asked)
    assert answer["seen"]["status"] == 403 and on(keys, house)
    assert DENIED.format("RevokeSession") in answer["seen"]["after"]["text"]


@pytest.mark.parametrize("place", ["sessions/{}/revoke", "switch-role"])
def test_form_of_another_site_neither_ends_nor_switches(browser, server, home, house, admin, desk, role, link, place):
    keys = admin.assume(role, "stays")
    place = place.format(session_of(home, keys)[0])
    answer = browser.ask("enter", link=link)
    there, cookies = answer["seen"]["url"], answer["cookies"]
    visitor = Visitor.with_cookies(server, cookies)
    # With the very code that no other site can read: it is the cookie that is missing.
    path = there.removeprefix(server.endpoint)
    [fields] = visitor.get(f"{path}{place}").forms().values()
    fields |= {"end": "this", "principal": ""} if "revoke" in place else {"role": role["RoleName"]}
    seen = browser.play("forged", action=f"{there}{place}", fields=fields, path=there, cookies=cookies)
    assert seen["sent"] == {"cookie": None, "site": "cross-site"} and on(keys, house)
    assert f"{desk['RoleName']} / ada" in seen["after"]["text"]


# --- another role ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_another_role_by_keyboard_opens_beside_ones_own(browser, link, home, house, admin, desk, role, javascript):
    closed = home.role(trust(admin.arn), prefix="closed")
    tries = [{"account": account, "role": wanted} for account, wanted in (
        (home.id, "nobody-has-it"), (home.id, closed["RoleName"]), ("abc", role["RoleName"]), (home.id, role["RoleName"]),
    )]
    seen = browser.play("switchRole", link=link, tries=tries, javascript=javascript)
    # What was typed stays, to be mended.
    assert seen["problems"] == [{"says": NO, "kept": tried} for tried in tries[:-1]]
    fields = ["Account number or alias", "Role name, with its path if it has one"]
    assert seen_by_eye(seen["stops"]) == [*NAV, *(*NAV, *fields) * 4]
    # A session of one's own, of the same name; the other stays.
    assert f"{role['RoleName']} / ada" in seen["role"]["text"] and seen["role"]["url"] != seen["own"]
    assert f"{desk['RoleName']} / ada" in seen["stays"]["text"] and seen["stays"]["url"] == seen["own"]
    nothing_to_take(seen["role"])
