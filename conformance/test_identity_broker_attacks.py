"""Who attacks examples/identity-broker: names that are more than names, guessed passwords, forged forms, links that lead elsewhere.

RFC 4513, section 5.1.2 (binds without a password), RFC 4515 (filters), and the Open Worldwide Application Security Project's advice on
signing in are what it is held to. What it does for its people is in `test_identity_broker.py`.
"""

import base64
import collections
import concurrent.futures
import http.client
import json
import re
import statistics
import time
import urllib.parse

import pytest

from support import secrets
from support.broker import Company, desk_of, enter, part, person, secret_of
from support.client import refused
from support.slapd import EXAMPLE
from support.visitor import Visitor

FLOOR = 0.3
WRONG = "Name or password is wrong."
FILTER = re.compile(r'SRCH base="ou=people,dc=example,dc=org" .* filter="(.*)"')


@pytest.fixture(scope="module")
def company(home, server, tmp_path_factory):
    made = Company(home, server, tmp_path_factory.mktemp("company"), floor=FLOOR)
    yield made
    made.stop()
    # In the end, when all has been tried: nothing that was typed or given is in a log or was an argument.
    search = secrets.Search(secrets.HELD)
    for log in made.logs():
        written = log.read_text(encoding="utf-8")
        assert search.in_file(log) is None, log
        assert "a password of" not in written and "guess-" not in written, log


def filters(company):
    return [found[1] for line in list(company.directory.lines) if (found := FILTER.search(line))]


def binds(company):
    return [line for line in list(company.directory.lines) if " BIND dn=" in line]


# --- names ------------------------------------------------------------------------------------------------------------

INJECTED = [
    "*",
    "gr*",
    "grace)(uid=*",
    "*)(objectClass=*",
    "grace)(|(uid=*)",
    "*))(|(objectClass=*",
    "grace)(&)",
    "gr\\61ce",
    "gr\\2a",
    "grace\0",
    "grace\\00",
    "\0",
    "grace,ou=people,dc=example,dc=org",
    "uid=grace",
    "gr\u00adace",
    "gr\u200bace",
    "gr\ufe0face",
    "gr\u0430ce",
    "grace\u202e",
    "grace ada",
    " grace",
    "grace\n",
    "g" * 129,
    "-H",
    "--",
    "${aws:username}",
    "%s",
]


@pytest.mark.parametrize("typed", INJECTED, ids=[f"{number}" for number in range(len(INJECTED))])
def test_a_name_is_one_value_in_a_filter(company, typed):
    before = len(filters(company))
    answer = company.guest().sign_in(typed, secret_of("grace"))
    assert (answer.status, WRONG in answer.text, answer.location) == (401, True, None)
    for asked in filters(company)[before:]:
        assert re.fullmatch(r"\(&\(objectClass=person\)\((\?=undefined|uid=[^()*]+)\)\)", asked), asked


def test_whoever_gave_themselves_a_second_name_is_nobody(company):
    dn, ldif = person("eve", ["readers"])
    company.directory.change(ldif)
    company.directory.change(f"dn: {dn}\nchangetype: modify\nadd: uid\nuid: director\n")
    for typed in ("eve", "director"):
        assert company.guest().sign_in(typed, secret_of("eve")).status == 401
    # And whoever takes rosa's name does not become rosa: of two, nobody knows who is meant.
    dn, ldif = person("Rosa", ["authors"])
    company.directory.change(ldif)
    assert company.guest().sign_in("rosa", secret_of("Rosa")).status == 401
    assert company.guest().sign_in("rosa").status == 401
    company.directory.remove(dn)
    assert company.guest().sign_in("rosa").status == 303


def test_what_only_the_directory_takes_for_the_same_name_is_nobody(tmp_path):
    """A directory that passes over accents, as some do: `zoe` would have a budget of failures beside that of `zoë`."""
    directory = part("directory")
    (tmp_path / "directory-password").write_text("x", encoding="utf-8")
    settings = json.loads((EXAMPLE / "directory.json").read_text(encoding="utf-8"))
    asked = directory.Directory(settings, tmp_path)
    asked._run = lambda *_, **__: (0, f"dn: cn=z\nuid:: {base64.b64encode('zoë'.encode()).decode()}\n")
    assert asked.find("zoë") == asked.find("ZOË") == asked.find("zoe\u0308") == ("cn=z", "zoë")
    assert asked.find("zoe") is asked.find("zoé") is None
    assert [directory.canonical_name(typed) for typed in ("", " ", "a b", "a\n", "a\0", "a\u00ad", "a\u200b", "a" * 129)] == [None] * 8


LONG = "averylongnamethatnobodycanremember"
EVIL = [
    "*",
    "a/*",
    "ada/../ada",
    'x","Resource":"*',
    '"],"Action":["*"],"Resource":["*',
    "${aws:userid}",
    "{name}",
    "zoë",
    "straße",
    "ада",
    "x",
    LONG + "1",
    LONG + "2",
    "averylongnameth=" + "a" * 16,
]


def test_names_of_the_directory_give_nobody_more_in_a_policy(company, home):
    arns = collections.Counter()
    for username in EVIL:
        company.directory.change(person(username, ["authors"])[1])
        page, keys = enter(company, company.guest().sign_in(username))
        [called] = set(re.findall(r"federated-user/([^<\s&]+)", page.text))
        assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,32}", called)
        arns[called] += 1
        desk = desk_of(company, keys)
        desk.put(f"{called}/note")
        desk.may_not((desk.put, "ada/note"), (desk.put, "other/note"), (desk.get, f"{called}/note"))
        with refused("AccessDenied"):
            home.house.iam(keys).list_users()
    assert set(arns.values()) == {1}, "two people are never one"


def test_a_policy_has_a_name_in_its_resources_and_is_json_of_the_same_shape():
    mapping = part("mapping")
    cut = mapping.federated_name(LONG + "1")
    assert mapping.federated_name(cut) != cut, "nobody takes the cut name of another for their own"
    wanted = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::desks/{name}/*"}]
    for username in EVIL:
        called = mapping.federated_name(username)
        made = json.loads(mapping.policy(wanted, called))
        assert made["Statement"] == [{**wanted[0], "Resource": [f"arn:aws:s3:::desks/{called}/*"]}]
    assert mapping.federated_name("grace") == "grace"
    assert len({mapping.federated_name("x" * 40 + str(number)) for number in range(5000)}) == 5000


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_name_without_a_password_is_not_tried(company):
    guest, before = company.guest(), len(binds(company))
    form = {**guest.get("/").forms()["/"], "username": "omar", "password": ""}
    answer = guest.post("/", form)
    assert (answer.status, WRONG in answer.text) == (401, True)
    assert not [line for line in binds(company)[before:] if "uid=omar" in line]
    for password in ("\0", secret_of("omar") + "\0", secret_of("omar") + " ", "x" * 2000):
        assert company.guest().sign_in("omar", password).status == 401


def test_an_unknown_name_and_a_wrong_password_are_one_answer_in_one_time(company):
    """Names, texts, header fields, what the directory has to do, and how long it takes."""
    told, took, asked = {}, collections.defaultdict(list), {}
    for number in range(4):
        for username in ("linus", "nobody-here"):
            guest = company.guest()
            form = {**guest.get("/").forms()["/"], "username": username, "password": f"guess-{number}"}
            before, begun = len(company.directory.lines), time.monotonic()
            answer = guest.post("/", form)
            took[username].append(time.monotonic() - begun)
            # Not the entry that nobody has, but one with a password as slow to try as theirs.
            bound = {"linus": "uid=linus,ou=people", "nobody-here": "cn=decoy,ou=services"}[username]
            lines = "".join(list(company.directory.lines)[before:])
            asked[username] = re.findall(r" (BIND|SRCH|EXT)(?= dn=.* method=| attr=| oid=)", lines)
            assert f' BIND dn="{bound},dc=example,dc=org" method' in lines
            headers = {known: value for known, value in answer.headers.items() if known not in ("Date", "Set-Cookie")}
            told[username] = (answer.status, headers, answer.text.replace(form["form"], "-"))
    assert told["linus"] == told["nobody-here"]
    assert asked["linus"] == asked["nobody-here"] == ["BIND", "SRCH", "BIND"], "nobody's password is tried too"
    assert all(seconds >= FLOOR for each in took.values() for seconds in each)
    assert abs(statistics.median(took["linus"]) - statistics.median(took["nobody-here"])) < FLOOR / 2


def test_the_password_of_the_decoy_opens_nothing(company):
    company.directory.change(
        f"dn: cn=decoy,ou=services,dc=example,dc=org\nchangetype: modify\nreplace: userPassword\nuserPassword: {secret_of('decoy')}\n"
    )
    for username in ("nobody-there", "decoy"):
        assert company.guest().sign_in(username, secret_of("decoy")).status == 401


def test_whoever_knows_the_password_signs_in_as_often_as_they_like(company):
    assert [company.guest().sign_in("ada").status for _ in range(8)] == [303] * 8


@pytest.mark.parametrize("known", [True, False])
def test_passwords_cannot_be_guessed_one_after_the_other(company, known):
    username = f"victim-{known}"
    regular = company.guest()
    if known:
        company.directory.change(person(username, ["readers"])[1])
        assert regular.sign_in(username).status == 303
    tried = [company.guest().sign_in(username, f"guess-{number}") for number in range(5)]
    assert {answer.status for answer in tried} == {401}
    stopped = company.guest().sign_in(username, secret_of(username))
    assert stopped.status == 429 and 1 <= int(stopped.headers["Retry-After"]) <= 30
    assert "Too many attempts" in stopped.text and not stopped.location
    assert company.guest().sign_in(username.upper(), "guess").status == 429, "another way to write it has no budget of its own"
    if known:
        assert regular.sign_in(username).status == 303, "whoever works there is not kept out"
    assert company.guest().sign_in("grace").status == 303, "nor is anybody else"


def test_attempts_side_by_side_have_one_budget(company):
    guests = [company.guest() for _ in range(12)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda guest: guest.sign_in("in-parallel", "guess-x").status, guests))
    assert collections.Counter(statuses) == {401: 5, 429: 7}


def test_one_address_cannot_try_everybody(company):
    guest = company.guest()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: guest.sign_in(f"somebody-{number}", "guess-x").status, range(60)))
    assert statuses.count(429) >= 15 and statuses.count(401) >= 30


def test_whoever_waits_may_try_again_and_refusals_cost_nothing():
    guard, now = part("guard"), [1000.0]
    budget = guard.Budget(5, 30, lambda: now[0])
    assert [budget.take("grace") for _ in range(5)] == [0] * 5
    assert [budget.take("grace") for _ in range(100)] == [30] * 100
    now[0] += 30
    assert budget.take("grace") == 0 and budget.take("grace") > 0
    budget.give_back("grace")
    assert budget.take("grace") == 0, "a right password cost nothing"
    now[0] += 1000
    assert [budget.take("grace") for _ in range(6)] == [0] * 5 + [30]
    for number in range(3 * budget.ROOM):
        budget.take(f"name-{number}")
    assert len(budget._full_at) <= budget.ROOM


def test_a_mark_of_a_browser_is_for_one_name():
    guard = part("guard")
    seal, other = guard.Seal(lambda: 0), guard.Seal(lambda: 0)
    mark = seal.new_known("grace")
    assert seal.known(mark, "grace")
    assert seal.known(mark, "ada") is other.known(mark, "grace") is seal.known("", "grace") is seal.known("x.y", "grace") is None
    assert guard.network("2001:db8:1:2::1") == guard.network("2001:db8:1:2:ffff::1") != guard.network("2001:db8:1:3::1")


# --- the form ---------------------------------------------------------------------------------------------------------


def forged(company, change, headers=(), cookies=True):
    """The answer to a form with grace's own name and password in it."""
    guest, other = company.guest(), company.guest()
    form = {**guest.get("/").forms()["/"], "username": "grace", "password": secret_of("grace")}
    other.get("/")
    return guest.post("/", change(form, guest, other), headers=headers, cookies=cookies)


@pytest.mark.parametrize(
    ("change", "headers", "cookies"),
    [
        (lambda form, *_: {**form, "form": ""}, {}, True),
        (lambda form, *_: {known: value for known, value in form.items() if known != "form"}, {}, True),
        (lambda form, *_: form, {}, False),
        (lambda form, _, other: {**form, "form": other.get("/").forms()["/"]["form"]}, {}, True),
        (lambda form, guest, _: {**form, "form": guest.cookies[("/", "form")]}, {}, True),
        (lambda form, *_: form, {"Origin": "https://evil.example.com"}, True),
        (lambda form, *_: form, {"Origin": "null"}, True),
        (lambda form, *_: form, {"Sec-Fetch-Site": "cross-site"}, True),
        (lambda form, *_: form, {"Sec-Fetch-Site": "same-site"}, True),
    ],
)
def test_a_form_of_another_site_signs_nobody_in(company, change, headers, cookies):
    before = len(company.broker.events())
    answer = forged(company, change, headers, cookies)
    assert answer.status == 403 and not answer.location
    assert len(company.broker.events()) == before, "nothing was tried"


def test_a_cookie_that_was_planted_is_worth_nothing_afterwards(company):
    """Session fixation: at the broker there is no session, and the console's is new each time."""
    victim, attacker = company.guest(), company.guest()
    victim.cookies[("/", "form")] = "0.planted.cookie-that-the-broker-never-made-itself"
    assert "Set-Cookie" in victim.get("/").headers, "not one of ours"
    attacker.get("/")
    victim.cookies = dict(attacker.cookies)
    entered = victim.sign_in("grace")
    assert entered.status == 303
    shown = attacker.get("/")
    assert shown.status == 200 and "grace" not in shown.text and not shown.location
    page, _ = enter(company, entered)
    assert Visitor(company.server).get(entered.location).status == 400, "the link is good once"
    assert ("/", "form") not in victim.cookies
    again = company.guest().sign_in("grace").location
    places = [Visitor(company.server).get(link).location for link in (again, company.guest().sign_in("grace").location)]
    assert len({*places}) == 2, "each session has an address and a cookie of its own"


def test_an_old_form_is_not_taken():
    guard, now = part("guard"), [1000.0]
    seal = guard.Seal(lambda: now[0])
    cookie = seal.new_cookie()
    token = seal.form_token(cookie)
    assert seal.is_own_form(cookie, token)
    now[0] += 3601
    assert not seal.is_own_form(cookie, token)


ELSEWHERE = [
    "https://evil.example.com/",
    "//evil.example.com/",
    "/\\evil.example.com/",
    "\\\\evil.example.com/",
    "/console//evil.example.com/",
    "/console/../",
    "/console/..",
    "/console/%2e%2e/",
    "/console/%2F%2Fevil.example.com",
    "/console",
    "/consolex/",
    "/federation?Action=logout&redirect_uri=https://evil.example.com",
    "javascript:alert(1)",
    "data:text/html,x",
    " /console/",
    "/console/ ",
    "/console/\t",
    "/console/\r\nSet-Cookie: a=b",
    "/console/\0",
    "/console/@evil.example.com",
    "/console/?x=https://evil.example.com",
    "/console/#//evil.example.com",
    "https:/console/",
    "／console/",
    "/console/" + "a/" * 4000 + "!",
]


@pytest.mark.parametrize("place", ELSEWHERE, ids=[f"{number}" for number in range(len(ELSEWHERE))])
def test_it_leads_to_the_console_and_nowhere_else(company, place):
    guest = company.guest()
    form = guest.get("/").forms()["/"]
    shown = guest.get(f"/?{urllib.parse.urlencode({'next': place})}")
    assert shown.status == 400 and "evil" not in shown.text
    sent = guest.post("/", {**form, "username": "grace", "password": secret_of("grace"), "next": place})
    assert sent.status == 400 and not sent.location


def test_a_place_in_the_console_is_kept(company):
    guest = company.guest()
    shown = guest.get("/?next=/console/iam/users%3Fmarker=a")
    assert shown.forms()["/"]["next"] == "/console/iam/users?marker=a"
    entered = guest.sign_in("grace", next="/console/")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(entered.location).query)
    assert query["Destination"] == ["/console/"] and query["Issuer"] == [f"{company.broker.endpoint}/"]


def test_the_page_needs_no_script_and_lets_nothing_in(company):
    shown = company.guest().get("/")
    assert "<script" not in shown.text and '<label for="password">' in shown.text
    rules = shown.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", f"form-action 'self' {company.server.endpoint};", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in rules
    assert shown.headers["Cache-Control"] == "no-store" and shown.headers["Referrer-Policy"] == "same-origin"
    wrong = company.guest().sign_in("<script>alert(1)</script>", "guess-x")
    assert "<script" not in wrong.text and "alert(1)" not in wrong.text


def ask(company, method, path, body, **headers):
    place = urllib.parse.urlsplit(company.broker.endpoint)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    try:
        named = {known.replace("_", "-"): value for known, value in headers.items()}
        connection.request(method, path, body, {"X-Forwarded-For": "198.51.101.1", **named})
        return connection.getresponse().status
    finally:
        connection.close()


def test_requests_that_no_page_and_no_client_of_ours_makes_are_refused(company):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    whole = urllib.parse.urlencode({"username": "grace", "password": secret_of("grace")})
    assert ask(company, "POST", "/credentials", whole, **form) == 200
    assert ask(company, "POST", "/credentials", whole, Content_Type="application/json") == 400
    assert ask(company, "POST", "/credentials", f"{whole}&username=ada", **form) == 400
    assert ask(company, "POST", "/credentials", f"{whole}&a={'x' * 9000}", **form) == 400
    assert ask(company, "POST", "/credentials", "username=grace&password=%ff", **form) == 400
    assert ask(company, "POST", "/credentials", "username=grace", **form) == 400
    assert ask(company, "POST", "/credentials", whole, Origin="https://evil.example.com", **form) == 400
    assert ask(company, "POST", "/credentials", whole, Sec_Fetch_Site="same-origin", **form) == 400
    assert ask(company, "GET", f"/credentials?{whole}", None) == 404, "a password in an address is not one"
    assert ask(company, "POST", f"/credentials?{whole}", "", **form) == 404
    assert ask(company, "PUT", "/", whole, **form) == 501


def test_the_log_has_who_came_in_and_not_what_was_typed(company):
    company.guest().sign_in("grace")
    assert company.broker.events()[-1].keys() == {"time", "event", "outcome", "address", "name", "access_key_id"}
    assert (company.broker.events()[-1]["outcome"], company.broker.events()[-1]["name"]) == ("in", "grace")
    company.guest().sign_in("guess-my-password-in-the-wrong-field", "guess-x")
    assert company.broker.events()[-1]["name"] is None


def test_the_brokers_own_keys_do_no_more_than_they_must(company, home):
    """What somebody gets who has the keys of the broker and nothing else."""
    for attempt in (
        lambda: company.user.iam.list_users(),
        lambda: company.user.iam.create_access_key(UserName=company.user.name),
        lambda: company.user.sts.assume_role(RoleArn=home.role()["Arn"], RoleSessionName="broker"),
    ):
        with refused("AccessDenied"):
            attempt()
    everything = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    keys = home.federated("greedy", everything, by=company.user)
    desk = desk_of(company, keys)
    desk.put("any/note")
    with refused("AccessDenied"):
        desk.s3.list_objects_v2(Bucket=company.desks)
