"""The harness's own signer against published values, and its search for words, so that a refusal means what the test says."""

import base64
import datetime

from support.client import account_in
from support.marks import mark, marks_in
from support.server import Keys
from support.signing import Request

KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
TIME = datetime.datetime(2026, 1, 15, 12, 0, 0, tzinfo=datetime.timezone.utc)
HOST = "sts.us-east-1.amazonaws.com"


def test_header_form_gives_the_known_signature():
    request = Request.action(HOST, "GetCallerIdentity").sign(KEYS, time=TIME)
    given = request.header("Authorization")
    assert given.endswith("Signature=26bedae4c6750a6f3ccd2f19d91bf3d4022985970e982971015ace05732b4bb4")
    assert "SignedHeaders=content-type;host;x-amz-date," in given


def test_query_form_gives_the_known_signature():
    request = Request.action(HOST, "GetCallerIdentity", method="GET").presign(KEYS, time=TIME, expires=60)
    assert request.query.endswith("X-Amz-Signature=2279988b6f21f5f4fa32bd761b7ee0b4b1f97a6280e71e5926c1b2cb2dc58930")


def test_account_is_read_from_an_access_key_id():
    assert account_in("ASIAQNZGKIQY56JQ7WML") == "029608264753"
    assert account_in("AKIASP2TPHJSQH3FJRUX") == "171436882533"


def test_words_are_found_as_they_are_and_in_base64():
    word = mark("sub")
    assert marks_in(f"a{word}b", word.upper().encode(), "zqmark") == ["sub"]
    for before in ("", "a", "ab", "abc"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            assert marks_in(encode(f"{before}{word}".encode())) == ["base64"]
