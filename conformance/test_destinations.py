"""Where a sign-in may lead, beside the reader that browsers have: of thousands of addresses near to allowed ones, every one that
is taken leads a browser to the console or to the place that the operator listed (CWE-601).

Source: the URL standard of WHATWG, by Node's own reader.
"""

import json
import random

import pytest

from support.oidc_provider import node
from support.server import Server
from support.client import Account, House, allow
from support.visitor import Visitor

LISTED, BELOW = "https://grafana.example.test", "/d/"
AWS = "console.aws.amazon.com"
SEEDS = [
    f"{LISTED}/d/abc?orgId=1#x",
    f"{LISTED}/d/",
    "http://OWN/console/a/b",
    "/console/a",
    f"https://eu-west-1.{AWS}/sns/home?region=eu-west-1",
]
PIECES = [
    *"/\\@:?#.%&;\t\n\r\x00\x7f <>\"'`|^{}[]~*!$()+,=-_0aA",
    "//", "/\\", "\\\\", "..", "/../", "/./", "%2e", "%2E%2e", "%2f", "%5c", "%00", "%0d%0a", "%25", "%252e", "@evil.test", "evil.test",
    ":443", ":80", ":8443", ":0", ":", "https:", "http:", "javascript:", "data:", "blob:", "ftp:", "\u3002", "\uff0f", "\uff0e", "\u2025", "ß",
    "\u200b", "\u202e", "\ufeff", "é", "xn--", "[::1]", "127.1", "0x7f.1", "localhost", "user:pw@", "?@", "#@", ";@", "&#47;",
]  # fmt: skip
ROUNDS = 3_000


def mutated(random, seeds):
    """One of the seeds with one to four changes."""
    text = random.choice(seeds)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(text))
        text = text[:place] + random.choice(PIECES) + text[place + random.choice([0, 0, 1, 2]) :]
    return text


def as_browsers_read(addresses, page):
    process = node("url.js", BASE=page)
    said, errors = process.communicate("".join(json.dumps(address) + "\n" for address in addresses), timeout=60)
    assert process.returncode == 0, errors
    return [json.loads(line) for line in said.splitlines()]


def is_allowed(origin, path, own):
    if origin == own:
        return path == "/console" or path.startswith("/console/")
    host = origin.removeprefix("https://")
    return (origin == LISTED and path.startswith(BELOW)) or (origin.startswith("https://") and (host == AWS or host.endswith("." + AWS)))


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("daypass-destinations")
    server = Server(folder, "--console-destination", LISTED + BELOW, "--sign-in-links-again")
    yield server
    assert server.stop() == 0


def test_every_address_that_is_taken_leads_where_one_may_go(place):
    home = Account(House(place), place.root_keys())
    keys = home.user(allow("sts:AssumeRole")).assume(home.role(None, allow("*")))
    visitor = Visitor(place)
    token = json.loads(visitor.signin_token(keys).text)["SigninToken"]
    source = random.Random("destinations")
    seeds = [seed.replace("OWN", place.host) for seed in SEEDS]
    addresses = [*seeds, *(mutated(source, seeds) for _ in range(ROUNDS))]
    taken = 0
    read_so = as_browsers_read(addresses, f"{place.endpoint}/console/")
    for address, read in zip(addresses, read_so, strict=True):
        answer = Visitor(place).federation(Action="login", SigninToken=token, Destination=address)
        assert answer.status in (302, 303, 400), address
        if answer.status != 400:
            taken += 1
            assert read and is_allowed(*read, place.endpoint), f"{address!r} leads a browser to {read}"
    # Neither all nor none, or nothing was tried.
    assert len(SEEDS) < taken < ROUNDS / 2, taken
