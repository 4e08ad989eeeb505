"""examples/identity-broker: people of an OpenLDAP directory come into the console, and their command lines to credentials.

What the guide "Using Temporary Security Credentials" (2012) tells of a company's own authentication system. Who attacks it is in
`test_identity_broker_attacks.py`.
"""

import json
import os
import re
import subprocess
import sys

import boto3
import pytest

from support.broker import Company, Guest, desk_of, enter, member, part, person, secret_of
from support.browser import Browser
from support.server import Keys, clean_environment
from support.slapd import EXAMPLE, Slapd


@pytest.fixture(scope="module")
def company(home, server, tmp_path_factory):
    made = Company(home, server, tmp_path_factory.mktemp("company"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def letter(company):
    """An object that readers can read."""
    (company.bucket.objects / "ada").mkdir(parents=True, exist_ok=True)
    (company.bucket.objects / "ada" / "letter").write_bytes(b"Dear Charles")
    return "ada/letter"


def test_members_of_one_group_get_its_policy_and_land_on_their_session(company, home, letter):
    page, keys = enter(company, company.guest().sign_in("grace"))
    assert f"arn:aws:sts::{home.id}:federated-user/grace" in page.text
    assert f"{company.broker.endpoint}/" in page.text, "where people sign in again"
    desk = desk_of(company, keys)
    desk.get(letter)
    desk.may_not((desk.put, "grace/note"), (desk.put, letter))


def test_members_of_two_groups_get_both_policies_and_a_place_of_their_own(company, home, letter):
    page, keys = enter(company, company.guest().sign_in("ada"))
    assert f"arn:aws:sts::{home.id}:federated-user/ada" in page.text
    desk = desk_of(company, keys)
    desk.get(letter)
    desk.put("ada/note")
    desk.may_not((desk.put, "grace/note"), (desk.put, "adalbert/note"), (desk.put, "operators/note"))


def test_a_group_becomes_a_role(company, home, letter):
    page, keys = enter(company, company.guest().sign_in("omar"))
    assert f"arn:aws:sts::{home.id}:assumed-role/{company.operators}/omar" in page.text
    desk = desk_of(company, keys)
    desk.put("operators/note")
    desk.may_not((desk.get, letter))


def test_whoever_may_be_several_is_who_can_do_least_until_they_say(company):
    page, _ = enter(company, company.guest().sign_in("rosa"))
    assert ":federated-user/rosa" in page.text
    page, _ = enter(company, company.guest().sign_in("rosa", **{"as": "operator"}))
    assert f"assumed-role/{company.operators}/rosa" in page.text
    denied = company.guest().sign_in("grace", **{"as": "operator"})
    assert denied.status == 403 and "do not make you that" in denied.text and not denied.location


def test_whoever_is_in_no_group_gets_nothing(company):
    denied = company.guest().sign_in("linus")
    assert denied.status == 403 and "none of your groups" in denied.text and not denied.location
    assert company.broker.events()[-1]["outcome"] == "not offered"


def test_whoever_left_a_group_signs_in_again_with_less(company, letter):
    dn, ldif = person("mary", ["readers", "authors"])
    company.directory.change(ldif)
    desk = desk_of(company, enter(company, company.guest().sign_in("mary"))[1])
    desk.put("mary/note")
    company.directory.change("\n".join(member(dn, "authors", "delete")))
    desk = desk_of(company, enter(company, company.guest().sign_in("mary"))[1])
    desk.get(letter)
    desk.may_not((desk.put, "mary/note"))
    company.directory.change("\n".join(member(dn, "readers", "delete")))
    assert company.guest().sign_in("mary").status == 403


def test_one_person_is_one_name_however_it_is_typed(company):
    for typed in ("GRACE", "ｇｒａｃｅ", "Grace"):
        page, _ = enter(company, company.guest().sign_in(typed, secret_of("grace")))
        assert ":federated-user/grace<" in page.text


def test_somebody_signs_in_with_a_browser_and_a_keyboard(company, server):
    """Chromium holds a form's redirect to the page's policy too: another address than the broker's must stand there."""
    browser = Browser(server)
    try:
        answer = browser.ask("brokered", broker=company.broker.endpoint, username="ada", password=secret_of("ada"))
    finally:
        assert browser.stop() == 0, browser.said
    seen = answer["seen"]
    # What the browser itself says of an answer of 401.
    assert [trouble for trouble in answer["troubles"] if "401" not in trouble] == []
    assert seen["complaints"] == seen["refused"]["complaints"] == []
    assert "Name or password is wrong." in seen["refused"]["text"] and "guess-by" not in seen["refused"]["text"]
    assert ":federated-user/ada" in seen["arrived"]["text"]
    assert seen["arrived"]["readable"] == {"cookie": "", "stored": 0, "referrer": ""}
    assert not any("Token" in address for address in [seen["arrived"]["url"], *seen["history"]])


@pytest.fixture(scope="module")
def guarded(company, authority):
    """A broker that speaks TLS."""
    return company.start("--tls-cert", str(authority / "cert.pem"), "--tls-key", str(authority / "key.pem"))


def client(broker, authority, user, password, *more):
    command = [sys.executable, str(EXAMPLE / "client.py"), broker.endpoint, "--user", user, "--ca", str(authority / "ca.pem")]
    command += ["--password-stdin", *more]
    environment = {**clean_environment(), "XDG_STATE_HOME": str(broker.log.parent)}
    return subprocess.run(command, input=password, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_line_gets_the_three_values_over_tls(company, guarded, authority, letter, tmp_path, monkeypatch):
    (tmp_path / "password").write_text(secret_of("ada"), encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    program = f"sh -c '{sys.executable} {EXAMPLE}/client.py {guarded.endpoint} --user ada --ca {authority}/ca.pem --password-stdin"
    (tmp_path / "config").write_text(f"[profile work]\ncredential_process = {program} < {tmp_path}/password'\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    given = boto3.Session(profile_name="work").get_credentials().get_frozen_credentials()
    keys = Keys(given.access_key, given.secret_key, given.token)
    assert company.home.house.sts(keys).get_caller_identity()["Arn"].endswith(":federated-user/ada")
    desk_of(company, keys).get(letter)
    desk_of(company, keys).put("ada/from-the-command-line")
    assert (tmp_path / "identity-broker" / "known.json").stat().st_mode & 0o777 == 0o600
    role = json.loads(client(guarded, authority, "rosa", secret_of("rosa"), "--as", "operator").stdout)
    keys = Keys(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
    assert f":assumed-role/{company.operators}/rosa" in company.home.house.sts(keys).get_caller_identity()["Arn"]


def test_a_command_line_is_told_what_is_wrong(company, guarded, authority):
    wrong, none = "is wrong", "none of your groups"
    for user, password, said in (("grace", "no", wrong), ("nemo", "no", wrong), ("linus", secret_of("linus"), none)):
        done = client(guarded, authority, user, password)
        assert done.returncode == 1 and said in done.stderr and not done.stdout
    command = [sys.executable, str(EXAMPLE / "client.py"), "http://192.0.2.1", "--user", "x"]
    plain = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert plain.returncode == 1 and "https" in plain.stderr


def test_cookies_over_tls_are_for_this_host_and_tls_alone(company, guarded, authority):
    guest = Guest(guarded, "198.51.100.250", str(authority / "ca.pem"))
    lines = [guest.get("/").headers["Set-Cookie"], *guest.sign_in("grace").headers.get_all("Set-Cookie")]
    for line in lines:
        assert re.match(r"__Host-(form|known)=", line)
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(line.split("; "))
    assert guarded.events()[-1]["address"] == "127.0.0.1", "X-Forwarded-For is believed of proxies only"


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_the_directory_over_tls(company, authority, scheme, tmp_path):
    directory = Slapd(tmp_path, authority, scheme)
    try:
        given = {"uri": directory.uri, "starttls": scheme == "ldap", "ca": str(authority / "ca.pem")}
        page, _ = enter(company, company.guest(company.start(directory=given)).sign_in("grace"))
        assert ":federated-user/grace" in page.text
        binds = [line for line in directory.lines if " BIND " in line and "mech=SIMPLE" in line]
        assert binds and all(" ssf=256" in line for line in binds), "what a password goes through"
        asked = len([line for line in directory.lines if " BIND " in line])
        nobody = company.guest(company.start(directory={**given, "ca": str(EXAMPLE / "people.ldif")}))
        answer = nobody.sign_in("grace")
        assert answer.status == 503 and "not possible at the moment" in answer.text
        assert len([line for line in directory.lines if " BIND " in line]) == asked, "no password went there"
    finally:
        directory.stop()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uri": "ldap://directory.example.com"}, "in the open"),
        ({"uri": "ldaps://directory.example.com", "starttls": True}, "starttls"),
        ({"uri": "https://directory.example.com"}, "ldap://"),
        ({"name": "uid=*)(x"}, "names of attributes"),
        ({"no_such_setting": True}, "no_such_setting"),
    ],
)
def test_settings_that_would_not_be_safe_are_refused_at_the_start(changes, said, tmp_path):
    (tmp_path / "directory-password").write_text("x")
    settings = json.loads((EXAMPLE / "directory.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=re.escape(said)):
        part("directory").Directory({**settings, **changes}, tmp_path)


def test_a_broker_listens_beyond_this_machine_over_tls_only(company):
    with pytest.raises(RuntimeError, match="in the open"):
        company.start("--listen", "0.0.0.0:0")


GROUP = "cn=a,ou=groups,dc=example,dc=org"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"policy": [{"Effect": "Allow", "Action": "s3:{name}", "Resource": "*"}]}, "nowhere else"),
        ({"policy": [{"Effect": "Allow", "Action": "*", "NotResource": "{name}"}]}, "Resource"),
        ({"policy": [{"Effect": "Allow", "Action": "*", "Resource": ["x" * 2000]}]}, "use roles"),
        ({"policy": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}] * 2}, "Sid"),
        ({"policy": [], "role": "arn:aws:iam::111122223333:role/R", "as": "r"}, "either"),
        ({"role": "arn:aws:iam::111122223333:user/R", "as": "r"}, "ARN"),
        ({"policy": [], "group": "readers"}, "no DN"),
    ],
)
def test_a_mapping_is_refused_as_a_whole(entry, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        part("mapping").Mapping({"seconds": 3600, "groups": [{"group": GROUP, **entry}]})


def test_the_readme_names_what_is_there():
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    there = {file for file in os.listdir(EXAMPLE) if file.endswith((".py", ".json", ".ldif", ".conf"))}
    assert there <= set(re.findall(r"[\w.-]+", text))
