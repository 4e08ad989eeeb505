"""examples/identity-broker and who is in others' way: command lines that others' guesses keep out, places that slow requests hold,
words that come back, names that are paths, proxies that read along. More attacks are in `test_identity_broker_attacks.py`.

RFC 4291, section 2.5.5.2 (addresses of version 4 within those of version 6), and RFC 9112, section 3 (request lines).
"""

import concurrent.futures
import http.client
import json
import socket
import subprocess
import sys
import urllib.parse

import pytest

from support.broker import Company, part, person, secret_of
from support.secrets import hold_in
from support.server import clean_environment
from support.slapd import EXAMPLE
from support.trap import Trap, raw

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def company(home, server, tmp_path_factory):
    made = Company(home, server, tmp_path_factory.mktemp("company"), floor=0)
    yield made
    made.stop()


@pytest.fixture
def trap():
    made = Trap()
    yield made
    made.close()


def credentials(company, username, password=None, address="203.0.113.1", cookie=None):
    """Status and mark of somebody's command line."""
    place = urllib.parse.urlsplit(company.broker.endpoint)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    body = urllib.parse.urlencode({"username": username, "password": password or secret_of(username)})
    try:
        sent = {**FORM, "X-Forwarded-For": address, **({"Cookie": cookie} if cookie else {})}
        connection.request("POST", "/credentials", body, sent)
        answer = connection.getresponse()
        said = json.load(answer)
        hold_in(said)
        return answer.status, (answer.headers["Set-Cookie"] or "").partition(";")[0]
    finally:
        connection.close()


def client(company, user, password, known, environment=()):
    """The program as somebody types it. All that comes from it comes from one address, which is 127.0.0.1."""
    command = [sys.executable, str(EXAMPLE / "client.py"), company.broker.endpoint, "--user", user, "--password-stdin", "--known", known]
    given = {**clean_environment(), **dict(environment)}
    done = subprocess.run(command, input=password, env=given, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        hold_in(json.loads(done.stdout))
    return done


def besiege(company, username):
    """Somebody guesses from ever other addresses, until the name has no budget left."""
    tried = [credentials(company, username, f"guess-{number}", f"198.51.100.{number}")[0] for number in range(12)]
    assert tried.count(429) >= 5


def test_a_command_line_that_somebody_works_with_is_not_kept_out_by_others_guesses(company, tmp_path):
    company.directory.change(person("besieged", ["readers"])[1])
    known = tmp_path / "state" / "known.json"
    assert client(company, "besieged", secret_of("besieged"), str(known)).returncode == 0
    besiege(company, "besieged")
    for _ in range(6):
        done = client(company, "besieged", secret_of("besieged"), str(known))
        assert done.returncode == 0, done.stderr
        assert "AccessKeyId" in json.loads(done.stdout) and "known" not in done.stdout
    stranger = client(company, "besieged", secret_of("besieged"), str(tmp_path / "another.json"))
    assert stranger.returncode == 1 and "Too many attempts" in stranger.stderr
    assert known.stat().st_mode & 0o777 == 0o600 and known.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in known.parent.iterdir()] == ["known.json"], "nothing half written stays"


def test_a_mark_of_a_command_line_is_for_one_name_and_has_a_budget(company):
    for username in ("marked", "unmarked"):
        company.directory.change(person(username, ["readers"])[1])
    status, mark = credentials(company, "marked")
    assert status == 200 and mark.startswith("known=")
    assert credentials(company, "marked", "guess-x")[1] == "", "none for who was wrong"
    for username in ("marked", "unmarked"):
        besiege(company, username)
    assert credentials(company, "unmarked", cookie=mark)[0] == 429
    assert credentials(company, "marked", cookie=mark + "x")[0] == 429
    assert [credentials(company, "marked", f"guess-{number}", cookie=mark)[0] for number in range(7)] == [401] * 5 + [429] * 2
    assert credentials(company, "marked", cookie=mark)[0] == 429, "who has the mark guesses no faster"


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', "null", '{"ada URL": "known=a\\r\\nX: y"}', '{"ada URL": 1}', '{"ada URL": "a=b"}'])
def test_a_file_of_marks_that_is_none_is_passed_over(company, tmp_path, content):
    known = tmp_path / "known.json"
    known.write_text(content.replace("URL", company.broker.endpoint), encoding="utf-8")
    known.chmod(0o644)
    done = client(company, "ada", secret_of("ada"), str(known))
    assert done.returncode == 0, done.stderr
    kept = json.loads(known.read_text(encoding="utf-8"))[f"ada {company.broker.endpoint}"]
    assert kept.startswith("known=") and known.stat().st_mode & 0o777 == 0o600


def test_where_no_mark_can_be_kept_there_are_credentials_all_the_same(company):
    done = client(company, "ada", secret_of("ada"), "/dev/null/known.json")
    assert done.returncode == 0 and "is not kept" in done.stderr and "AccessKeyId" in done.stdout


# --- addresses and places ---------------------------------------------------------------------------------------------


def test_an_address_of_version_4_in_one_of_version_6_is_itself():
    guard = part("guard")
    assert guard.network("::ffff:203.0.113.1") == guard.network("203.0.113.1") == "203.0.113.1/32"
    assert guard.network("::ffff:cb00:7102") == "203.0.113.2/32"
    assert guard.network("fe80::1%eth0") == "fe80::/64"


def test_guesses_from_mapped_addresses_keep_nobody_else_out(company):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        guesses = pool.map(lambda number: credentials(company, f"no-{number}", "guess-x", f"::ffff:198.51.101.{number % 3}")[0], range(60))
        assert set(guesses) <= {401, 429}
    for address in ("::ffff:203.0.113.200", "203.0.113.200"):
        assert credentials(company, "ada", address=address)[0] == 200


class Drip:
    """A connection on which one byte comes a second, for ever."""

    def __init__(self):
        self.now, self.bounds = 1000.0, []

    def settimeout(self, seconds):
        self.bounds.append(seconds)

    def recv_into(self, buffer):
        self.now += 1
        buffer[:1] = b"x"
        return 1


def test_a_request_has_one_deadline_however_it_drips(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    doors = part("doors")
    drip = Drip()
    reader = doors.io.BufferedReader(doors.Punctual(drip, drip.now + 15, 15, lambda: drip.now))
    with pytest.raises(TimeoutError):
        reader.readline(65537)
    assert drip.now == 1015 and drip.bounds[:-1:2] == [15 - second for second in range(15)]
    assert drip.bounds[-1] == 15, "what is answered has its own time"


def dripped(broker):
    """How many bytes of a header somebody can send who sends one whenever the broker has said nothing for a twentieth of a second."""
    place = urllib.parse.urlsplit(broker.endpoint)
    with socket.create_connection((place.hostname, place.port), timeout=0.05) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nX: ")
        for number in range(400):
            try:
                if connection.recv(1) == b"":
                    return number
            except TimeoutError:
                pass
            except ConnectionResetError:
                return number
            connection.sendall(b"y")
    return None


def test_slow_requests_hold_no_place_for_long(company):
    """Twenty seconds of bytes, at a broker that waits one."""
    number = dripped(company.start("--patience", "1"))
    assert number is not None and number >= 5, "it waits, but not for ever"


# --- words ------------------------------------------------------------------------------------------------------------

MALFORMED = [
    b"GET /?username=ada&password=a guess-SECRET HTTP/1.1\r\n\r\n",
    b"GET /?username=ada&password=a guess-SECRET\r\n\r\n",
    b"password=guess-SECRET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/guess-SECRET\r\n\r\n",
    b"POST / HTTP/9.1\r\nX: guess-SECRET\r\n\r\n",
    b"guess-SECRET /credentials\r\n\r\n",
    b"GET /" + b"guess-SECRET" * 6000 + b" HTTP/1.1\r\n\r\n",
    b"HEAD /guess-SECRET HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("sent", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_request_is_not_sent_back_and_has_the_rules_of_every_page(company, sent):
    answer = raw(company.broker.endpoint, sent)
    assert b"SECRET" not in answer and "SECRET" not in company.broker.log.read_text(encoding="utf-8")
    if len(sent) < 65536:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"\r\nContent-Security-Policy: default-src 'none'" in head and b"\r\nCache-Control: no-store" in head
        assert body == b"" if sent.startswith(b"HEAD") else b"not one that the sign-in page makes" in body
    assert company.guest().sign_in("ada").status == 303


@pytest.mark.parametrize("username", [".", "..", "...", "\u2024", "\u2025", "\u2026"])
def test_a_name_that_is_a_path_is_nobody(company, username):
    """`{name}` becomes a part of objects' names, and who reads these as a path is elsewhere with it. Some are dots in another form."""
    assert part("directory").canonical_name(username) is None
    company.directory.change(person(username, ["authors"])[1])
    assert company.guest().sign_in(username).status == 401
    assert credentials(company, username)[0] == 401


def test_names_with_dots_in_them_are_names(company):
    company.directory.change(person("a..b", ["readers"])[1])
    company.directory.change(person(".profile", ["readers"])[1])
    assert {company.guest().sign_in(username).status for username in ("a..b", ".profile")} == {303}


# --- proxies ----------------------------------------------------------------------------------------------------------


def test_a_password_goes_past_the_proxy_of_the_environment(company, trap, tmp_path):
    done = client(company, "ada", secret_of("ada"), str(tmp_path / "known.json"), trap.environment)
    assert done.returncode == 0 and trap.seen == [], done.stderr


def test_credentials_do_so_too_as_they_come_and_on_their_way_to_a_link(server, trap, monkeypatch):
    for known, value in trap.environment.items():
        monkeypatch.setenv(known, value)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    issue = part("issue")
    issuer = issue.Issuer(None, server.endpoint)
    given = {"AccessKeyId": "ASIAQQQQQQQQQQQQQQQQ", "SecretAccessKey": "x" * 40, "SessionToken": "x"}
    with pytest.raises(issue.Refused, match="getSigninToken 400"):
        issuer.link(given, server.endpoint, "https://broker.example.com/", "/console/")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQQQQQQQQQQQQQQQQ")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
    mapping = part("mapping").Mapping({"seconds": 900, "groups": [{"group": "cn=a", "policy": [READ]}]})
    with pytest.raises(issue.Refused, match="InvalidClientTokenId"):
        issue.Issuer(mapping, server.endpoint).credentials("ada", ["cn=a"], "")
    assert trap.seen == []
