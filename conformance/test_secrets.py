"""No secret in anything the server wrote while the whole suite ran at its finest log level: its log, its standard
output, its audit. `conftest.py` puts the last test of this file after all others."""

import base64
import re
import socket
import urllib.parse

import pytest

from support import secrets
from support.client import refused

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ELSE = b"2026-11-26T18:00:00Z TRACE daypass: nothing of interest, and a lot of it. "


@pytest.mark.parametrize("before", range(secrets.STRIDE + 2))
def test_a_secret_is_found_in_every_form_and_place(before):
    search = secrets.Search({SECRET: "secret"})
    raw, around = SECRET.encode(), ELSE[:before]
    for there in [
        raw,
        urllib.parse.quote(SECRET, safe="").encode(),
        urllib.parse.quote(SECRET).encode(),
        *(base64.b64encode(around + raw + ELSE[:after]) for after in range(3)),
        base64.urlsafe_b64encode(around + raw),
    ]:
        assert search.in_bytes(around + there + ELSE) == "secret", there
        assert search.in_bytes(around + there) == "secret", there
    assert search.in_bytes(around + raw[:-1] + ELSE) is None


def test_a_secret_is_found_where_two_blocks_meet(tmp_path, monkeypatch):
    monkeypatch.setattr(secrets, "BLOCK", 100)
    for before in range(50, 110):
        path = tmp_path / f"{before}"
        path.write_bytes(b"x" * before + SECRET.encode() + b"y" * 200)
        assert secrets.Search({SECRET: "secret"}).in_file(path) == "secret", before


def greet_by_http2(host):
    """The preface and empty SETTINGS (RFC 9113, sections 3.4 and 6.5), and what is answered to them. Of all that the
    server is made of, HTTP/2 alone says something at the finest level only."""
    with socket.create_connection(host.split(":"), timeout=30) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        assert connection.recv(1)


def test_the_suite_at_trace_level_leaves_no_secret_in_any_output(server, home, admin, house):
    # A suite of this test alone has something to be silent about, too.
    role = home.role()
    session = admin.assume(role)
    house.sts(session).get_caller_identity()
    with refused("SignatureDoesNotMatch"):
        house.sts(session.but(secret=admin.keys.secret)).get_caller_identity()
    with refused("InvalidClientTokenId"):
        house.sts(session.but(token="garbage")).get_caller_identity()
    greet_by_http2(server.host)
    assert server.stop() == 0, "everything is written"
    held = {home.keys.secret, admin.keys.secret, session.secret, session.token}
    assert held <= secrets.HELD.keys(), "what clients hold is known"
    assert {"SecretAccessKey", "SessionToken", "signature"} <= set(secrets.HELD.values())

    log = server.log.read_text(encoding="utf-8")
    assert re.search(r" TRACE .*h2::", log) and "a credential was refused" in log, "the log is at its finest level"
    written = [server.log, server.printed, *server.audits()]
    assert session.id in server.printed.read_text(encoding="utf-8"), "the audit is on standard output too"
    search = secrets.Search(secrets.HELD)
    assert {path.name: search.in_file(path) for path in written} == dict.fromkeys(path.name for path in written)
    assert search.in_file(server.data / "root-credentials") == "root's secret", "the search finds what is there"
