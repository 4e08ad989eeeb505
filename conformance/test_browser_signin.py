"""`/signin` in a real browser: by keyboard alone to the session, and how its pages look.

`DAYPASS_SCREENSHOTS=<folder>` leaves pictures of every page there.
"""

import json
import urllib.parse

import pytest

from support.browser import nothing_to_take, seen_by_eye
from support.client import ALLOW_ALL
from support.login import CROSS_DEVICE, Program
from support.person import INCORRECT, ROOT, Person, new_password, root_code
from support.phone import Phone

PASSWORD, CODE, CHANGE = "Sign in", "Multi-factor authentication", "Choose a new password"
ACCOUNT, USER, SECRET = "Account number or alias", "User name", "Password"


@pytest.fixture
def person(server, home):
    return Person(server, home.user(json.dumps(ALLOW_ALL), prefix="ada"))


def address(person, path="/signin"):
    return f"{person.server.endpoint}{path}"


@pytest.mark.parametrize("javascript", [True, False])
def test_password_code_and_new_password_by_keyboard_alone(browser, person, javascript):
    phone, new = Phone.of(person.user), new_password()
    person.user.account.iam.update_login_profile(UserName=person.user.name, PasswordResetRequired=True)
    steps = [
        {"heading": PASSWORD, "typed": [person.user.account.id, person.user.name, "wrong"]},
        {"heading": PASSWORD, "typed": [person.password], "problem": True},
        {"heading": CODE, "typed": ["000000"]},
        {"heading": CODE, "typed": [phone.code()], "problem": True},
        {"heading": CHANGE, "typed": [new, new]},
    ]
    # Answers that refuse are noted as errors by the browser.
    answer = browser.ask("signIn", address=address(person), javascript=javascript, steps=steps)
    assert all("status of 403" in trouble for trouble in answer["troubles"]), answer["troubles"]
    seen, last = answer["seen"]["seen"], answer["seen"]["last"]
    stops = [seen_by_eye(page["stops"]) for page in seen]
    assert stops == [
        [ACCOUNT, USER, SECRET],
        [SECRET],
        ["MFA code"],
        ["MFA code"],
        ["New password", "New password, once more"],
    ], "each page begins in its first empty field"
    assert [page["said"] for page in seen if page["said"]] == [
        INCORRECT,
        "The MFA code is not right. Wait for the next one, and try again.",
    ]
    assert person.user.arn in last["text"] and "IAM user" in last["text"]
    for page in [*seen, last]:
        assert page["readable"]["cookie"] == ""
        assert not any(secret in place for place in page["addresses"] for secret in (person.password, new, "progress"))
    nothing_to_take(last)


def test_back_from_the_session_shows_no_password(browser, person):
    path = f"/signin/{person.user.account.id}"
    typed = {USER: person.user.name, SECRET: person.password}
    seen = browser.play("signInAndBack", address=address(person, path), typed=typed)
    assert person.user.arn in seen["session"]["text"]
    assert seen["password"] == ""


def test_root_signs_in_by_keyboard_alone(browser, server, home):
    steps = [{"heading": "Sign in as root", "typed": [root_code(server, home.id)]}]
    answer = browser.ask("signIn", address=f"{server.endpoint}{ROOT}", steps=steps)
    assert answer["troubles"] == []
    seen, last = answer["seen"]["seen"], answer["seen"]["last"]
    assert [seen_by_eye(page["stops"]) for page in seen] == [["Code"]]
    assert "Root user" in last["text"]
    nothing_to_take(last)
    assert browser.look("signin-root", address=f"{server.endpoint}{ROOT}", heading="Sign in as root") == ("header", "main")


def test_program_that_waits_leads_to_the_form_and_back(browser, person):
    way = f"{person.server.endpoint}{Program(person.server).address()}"
    typed = {ACCOUNT: person.user.account.id, USER: person.user.name, SECRET: person.password}
    seen = browser.play("signInOnTheWay", address=way, typed=typed)
    assert seen["heading"] == "Let a program in" and f"Continue as {person.user.arn}" in seen["text"]
    assert seen["url"] == way


def test_pages_are_readable_for_everybody(browser, person):
    person.user.account.iam.update_login_profile(UserName=person.user.name, PasswordResetRequired=True)
    given = {ACCOUNT: person.user.account.id, USER: person.user.name}
    right, wrong = {**given, SECRET: person.password}, {**given, SECRET: "wrong"}
    shown = {
        "signin": {"heading": PASSWORD},
        "signin-refused": {"typed": wrong, "sends": "Sign in", "heading": PASSWORD, "alert": True},
        "signin-change": {"typed": right, "sends": "Sign in", "heading": CHANGE},
    }
    for name, asked in shown.items():
        assert browser.look(name, address=address(person), **asked) == ("header", "main"), name
    phones = [Phone.of(person.user), Phone.of(person.user)]
    assert len(phones) == 2
    asked = {"typed": right, "sends": "Sign in", "heading": CODE}
    assert browser.look("signin-code", address=address(person), **asked) == ("header", "main")


def test_pages_where_a_program_is_let_in_are_readable_for_everybody(browser, person):
    same, other = Program(person.server), Program(person.server, CROSS_DEVICE, f"{person.server.endpoint}/v1/sessions/confirmation")
    typed = {ACCOUNT: person.user.account.id, USER: person.user.name, SECRET: person.password}
    back = {way: f"/signin?{urllib.parse.urlencode({'back': way.address()})}" for way in (same, other)}
    shown = {
        "program-nobody": {"address": same.address(), "heading": "Let a program in"},
        "program": {"address": back[same], "typed": typed, "sends": "Sign in", "heading": "Let a program in"},
        "program-code": {
            "address": back[other],
            "typed": typed,
            "sends": "Sign in",
            "heading": "Let a program in",
            "next": {"button": "Continue as", "heading": "Your code"},
        },
    }
    for name, asked in shown.items():
        given = {**asked, "address": address(person, asked["address"])}
        assert browser.look(name, **given) == ("header", "main"), name
