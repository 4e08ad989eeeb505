"""examples/console-link, as its README says: in Python with boto3, and in Ruby with version 1 of the AWS SDK over TLS."""

import os
import re
import subprocess
import sys
import urllib.parse

import pytest

from support.client import Account, House, policy, statement
from support.secrets import hold
from support.server import ROOT, clean_environment
from support.trap import Trap
from support.visitor import Visitor

EXAMPLE = ROOT / "examples" / "console-link"
BROKER = policy(statement(["sts:GetFederationToken", "iam:GetUser", "iam:ListUsers"]))


def run(*command, **environment):
    """The link that a program prints, held as the secret that it is."""
    given = {**clean_environment(), "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", **environment}
    done = subprocess.run(command, env=given, cwd=EXAMPLE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (link,) = done.stdout.split()
    (token,) = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["SigninToken"]
    hold("sign-in token", token)
    return link


def keys(user):
    return {"AWS_ACCESS_KEY_ID": user.keys.id, "AWS_SECRET_ACCESS_KEY": user.keys.secret}


def arrives(visitor, link):
    """Where a link leads, and what stands there."""
    entered = visitor.get(link)
    assert entered.status == 302, entered.text
    page = visitor.get(entered.location)
    assert page.status == 200
    return entered, page


def test_python_program_makes_a_link_of_a_federated_user_and_of_a_role(server, home):
    broker = home.user(BROKER)
    environment = {"AWS_ENDPOINT_URL_STS": server.endpoint, **keys(broker)}
    link = run(sys.executable, "console_link.py", "grace", "--policy", "policy.json", **environment)
    assert "SessionToken" not in link and broker.keys.secret not in urllib.parse.unquote(link)
    _, page = arrives(Visitor(server), link)
    assert f"arn:aws:sts::{home.id}:federated-user/grace" in page.text
    assert "https://signin.example.com/" in page.text
    role = home.role(f"""{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {{"AWS": "{broker.arn}"}}}}}}""")
    more = ("--role", role["Arn"], "--seconds", "7200", "--destination", "https://console.aws.amazon.com/sns")
    _, page = arrives(Visitor(server), run(sys.executable, "console_link.py", "grace", *more, **environment))
    assert f"assumed-role/{role['RoleName']}/grace" in page.text
    assert re.search(r"<strong>(2 h 00|1 h 59) min</strong> left", page.text), "longer than the credentials"


def test_what_is_secret_goes_past_the_proxy_of_the_environment(server, home):
    trap = Trap()
    environment = {**trap.environment, "AWS_ENDPOINT_URL_STS": server.endpoint, **keys(home.user(BROKER))}
    try:
        link = run(sys.executable, "console_link.py", "grace", "--policy", "policy.json", **environment)
    finally:
        trap.close()
    assert trap.seen == [] and link.startswith(f"{server.endpoint}/federation?")


@pytest.mark.parametrize("endpoint", ["http://daypass.invalid", "http://192.0.2.1:7777", "ftp://127.0.0.1"])
def test_and_nowhere_in_the_open(endpoint):
    trap = Trap()
    environment = {**clean_environment(), **trap.environment, "AWS_ENDPOINT_URL_STS": endpoint}
    environment |= {"AWS_ACCESS_KEY_ID": "AKIAQQQQQQQQQQQQQQQQ", "AWS_SECRET_ACCESS_KEY": "x" * 40}
    command = [sys.executable, "console_link.py", "grace", "--policy", "policy.json"]
    try:
        done = subprocess.run(command, env=environment, cwd=EXAMPLE, capture_output=True, text=True, timeout=120, check=False)
    finally:
        trap.close()
    assert done.returncode == 1 and done.stderr == "console_link: daypass is https://, or on this machine\n"
    assert trap.seen == [] and done.stdout == ""


def test_ruby_program_of_2012_makes_one_over_tls(secure, authority, environment):
    trusted = str(authority / "ca.pem")
    house = House(secure)
    house.session = house.session.__class__(region_name="us-east-1")
    os.environ["AWS_CA_BUNDLE"] = trusted
    try:
        broker = Account(house, secure.root_keys()).user(BROKER)
    finally:
        del os.environ["AWS_CA_BUNDLE"]
    link = run("ruby", "console_link.rb", "grace", "policy.json", DAYPASS_URL=secure.endpoint, AWS_CA_BUNDLE=trusted, **keys(broker))
    visitor = Visitor(secure, trusted)
    entered, page = arrives(visitor, link)
    assert "; Secure" in entered.headers["Set-Cookie"], "over TLS the cookie goes over TLS alone"
    assert ":federated-user/grace" in page.text
    assert visitor.get(link).status == 400, "once"


@pytest.mark.parametrize("program", ["console_link.py", "console_link.rb"])
def test_readme_names_the_program(program):
    assert program in (EXAMPLE / "README.md").read_text(encoding="utf-8")
