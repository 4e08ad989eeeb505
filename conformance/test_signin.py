"""`/signin`: people with an IAM user's password sign in to the console.

AWS sources: "How IAM users sign in to AWS" in the AWS Sign-In User Guide; "Using MFA devices with your IAM sign-in page" and "Set an
account password policy for IAM users" in the IAM User Guide; "AWS Management Console sign-in events" in the CloudTrail User
Guide.
"""

import json
import urllib.parse

import pytest

from support.client import ALLOW_ALL, Account, name
from support.login import Program
from support.person import CHANGE, CODE, FORM, INCORRECT, ROOT, Person, new_password, root_code
from support.phone import Phone
from support.visitor import Visitor

OVER = "That took too long, or was done before. Please sign in again."


@pytest.fixture
def person(server, home):
    """A user with a password, at a browser."""
    return Person(server, home.user(json.dumps(ALLOW_ALL), prefix="ada"))


def events(server, user, wanted):
    """The names and outcomes of the user's events of signing in."""
    lines = [line for path in server.audits() for line in path.read_text().splitlines()]
    told = [json.loads(line) for line in lines if user in line]
    found = [event for event in told if event.get("userIdentity", {}).get("userName") == user]
    return [(event["eventName"], *event["responseElements"].values()) for event in found if event["eventName"] in wanted]


def test_user_signs_in_to_its_own_session(server, house, home, person):
    session = person.enter()
    assert f"arn:aws:iam::{home.id}:user/{person.user.name}" in session.text and "IAM user" in session.text
    keys = person.credentials()
    assert house.sts(keys).get_caller_identity()["Arn"] == person.user.arn
    house.iam(keys).list_users(MaxItems=1)
    used = home.iam.get_user(UserName=person.user.name)["User"]["PasswordLastUsed"]
    assert used is not None
    assert events(server, person.user.name, {"ConsoleLogin"}) == [("ConsoleLogin", "Success")]


def test_whatever_is_wrong_looks_the_same(server, home, person):
    without = home.iam.create_user(UserName=name("nobody"))["User"]["UserName"]
    pages = set()
    for account, user, password in [
        (home.id, person.user.name, "wrong"),
        (home.id, name("unknown"), person.password),
        (home.id, without, person.password),
        ("999999999999", person.user.name, person.password),
        (name("alias"), person.user.name, person.password),
    ]:
        visitor = Visitor(server)
        form = visitor.get(FORM).forms()[FORM]
        page = visitor.post(FORM, {**form, "account": account, "username": user, "password": password})
        text = page.text
        for typed in (account, user, form["code"], page.forms()[FORM]["code"]):
            text = text.replace(typed, "…")
        pages.add((page.status, text))
    [(status, text)] = pages
    assert status == 403 and INCORRECT in text


def test_accounts_are_called_by_alias_too(server, house):
    account = Account(house, server.create_account())
    alias = name("northwind")
    account.iam.create_account_alias(AccountAlias=alias)
    person = Person(server, account.user(json.dumps(ALLOW_ALL), prefix="ada"))
    page = person.visitor.get(f"/signin/{alias}")
    assert page.forms()[FORM]["account"] == alias
    assert account.id in person.enter(account=alias).text


def test_code_of_a_device_is_asked_for(server, house, person):
    phone = Phone.of(person.user)
    page = person.sign_in()
    form = page.forms()[CODE]
    assert page.status == 200 and form["device"] == phone.serial
    wrong = person.visitor.post(CODE, {**form, "mfacode": "000000"})
    assert wrong.status == 403 and "The MFA code is not right" in wrong.text
    entered = person.visitor.post(CODE, {**wrong.forms()[CODE], "mfacode": phone.code()})
    assert entered.status == 302, entered.text
    person.path = entered.location
    keys = person.credentials()
    # An hour of it: whoever has no MFA may not.
    condition = {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
    mine = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": condition}
    user = person.user
    user.account.iam.put_user_policy(
        UserName=user.name, PolicyName="inline", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": mine})
    )
    assert house.iam(keys).get_user()["User"]["Arn"] == user.arn
    again = person.visitor.post(CODE, {**wrong.forms()[CODE], "mfacode": phone.code(1)})
    assert again.status == 403, "what was proven counts once"
    wanted = {"CheckMfa", "ConsoleLogin"}
    assert events(server, user.name, wanted)[:3] == [
        ("CheckMfa", "Success"),
        ("ConsoleLogin", "Failure"),
        ("ConsoleLogin", "Success"),
    ]


def test_password_that_must_be_changed_is(server, person):
    person.user.account.iam.update_login_profile(UserName=person.user.name, PasswordResetRequired=True)
    page = person.sign_in()
    form = page.forms()[CHANGE]
    short = person.visitor.post(CHANGE, {**form, "password": "short", "again": "short"})
    assert short.status == 400 and "Password should have a minimum length of" in short.text
    new = new_password()
    entered = person.visitor.post(CHANGE, {**form, "password": new, "again": new})
    assert entered.status == 302 and entered.location.startswith("/console/s/")
    replayed = person.visitor.post(CHANGE, {**form, "password": new, "again": new})
    assert replayed.status == 403
    person.password = new
    assert person.enter().status == 200
    wanted = {"CheckPassword", "PasswordUpdated", "ConsoleLogin"}
    assert events(server, person.user.name, wanted)[:4] == [
        ("CheckPassword", "Success"),
        ("PasswordUpdated", "Failure"),
        ("PasswordUpdated", "Success"),
        ("ConsoleLogin", "Success"),
    ]


def test_guesser_is_slow_and_the_user_gets_in_from_a_known_browser(server, person):
    person.enter()
    guesser = Visitor(server)
    form = guesser.get(FORM).forms()[FORM]
    guess = {**form, "account": person.user.account.id, "username": person.user.name, "password": "wrong"}
    # The window may turn on the way.
    statuses = [guesser.post(FORM, guess).status for _ in range(14)]
    assert set(statuses) == {403, 429} and statuses.count(403) <= 12
    assert person.enter().status == 200


def test_form_of_another_site_signs_nobody_in(person):
    form = person.filled()
    stranger = Visitor(person.server)
    assert stranger.post(FORM, form).status == 403, "without the cookie"
    stranger.get(FORM)
    assert stranger.post(FORM, form).status == 403, "with another one"
    for site in ("cross-site", "same-site"):
        assert person.visitor.post(FORM, form, headers={"Sec-Fetch-Site": site}).status == 403
    assert person.visitor.post(FORM, {**form, "code": "00"}).status == 403
    assert person.visitor.post(f"{FORM}?a=b", form).status == 403
    assert person.visitor.post(FORM, form, headers={"Sec-Fetch-Site": "same-origin"}).status == 302


def test_cookie_of_the_browser_goes_nowhere_else_and_changes(person, secure, authority):
    page = person.visitor.get(FORM)
    [cookie] = page.headers.get_all("Set-Cookie")
    assert "; Path=/signin; " in cookie and "; HttpOnly; SameSite=Lax" in cookie and "Secure" not in cookie
    assert person.visitor.get(FORM).headers.get_all("Set-Cookie") is None
    before = dict(person.visitor.cookies)
    person.enter()
    assert person.visitor.cookies[("/signin", "daypass-browser")] != before[("/signin", "daypass-browser")]
    over_tls = Visitor(secure, str(authority / "ca.pem")).get(FORM)
    kept = over_tls.headers["Set-Cookie"]
    assert kept.startswith("__Host-daypass-browser=") and "; Path=/; " in kept and kept.endswith("; Secure")
    assert "Domain" not in kept, "RFC 6265bis, section 4.1.3.2"


def test_sign_in_on_the_way_of_a_program_comes_back(server, person):
    program = Program(server)
    page = person.visitor.get(program.address())
    assert "signed in nowhere" in page.text
    way = f"/signin?back={urllib.parse.quote(program.address(), safe='')}"
    assert way in page.text
    form = person.visitor.get(way).forms()[FORM]
    assert form["back"] == program.address()
    entered = person.visitor.post(FORM, {**form, **person.typed()})
    assert (entered.status, entered.location) == (302, program.address())
    assert person.user.arn in person.visitor.get(entered.location).text
    for elsewhere in ("https://evil.example/", "//evil.example/v1/authorize?x", "/console/"):
        shown = person.visitor.get(f"/signin?back={urllib.parse.quote(elsewhere, safe='')}")
        assert "back" not in shown.forms()[FORM]


def test_page_of_an_ended_session_leads_to_the_form(person):
    person.enter()
    form = person.visitor.get(person.path).forms()[f"{person.path}sign-out"]
    out = person.visitor.post(f"{person.path}sign-out", form)
    assert f'href="/signin/{person.user.account.id}"' in out.text
    assert 'href="/signin"' in person.visitor.get("/console/").text
    assert OVER not in out.text


def test_root_signs_in_by_a_code_of_the_host_once(server, house):
    account = Account(house, server.create_account())
    code = root_code(server, account.id)
    visitor = Visitor(server)
    form = visitor.get(ROOT).forms()[ROOT]
    wrong = visitor.post(ROOT, {**form, "rootcode": code[:-1]})
    assert wrong.status == 403 and "The code is not valid" in wrong.text
    entered = visitor.post(ROOT, {**form, "rootcode": code})
    assert entered.status == 302, entered.text
    page = visitor.get(entered.location)
    assert "Root user" in page.text and f"arn:aws:iam::{account.id}:root" in page.text
    form = visitor.get(ROOT).forms()[ROOT]
    assert visitor.post(ROOT, {**form, "rootcode": code}).status == 403
    lines = [line for path in server.audits() for line in path.read_text().splitlines() if account.id in line]
    told = [json.loads(line) for line in lines]
    assert [event["eventName"] for event in told if event["eventName"] in ("AccountSignIn", "ConsoleLogin")] == [
        "AccountSignIn",
        "ConsoleLogin",
    ]
    assert told[-1]["userIdentity"]["type"] == "Root"
    unknown = server.run("account", "sign-in", "--account-id", "999999999999")
    assert unknown.returncode != 0 and "there is no account 999999999999" in unknown.stderr
