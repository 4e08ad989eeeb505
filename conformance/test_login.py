"""`aws login`: a program gets a code for a session of the console, and credentials for it while the session lives.

AWS source: AWS Sign-In API Reference, CreateOAuth2Token; RFC 7636 (PKCE); RFC 9449 (DPoP). The calls are botocore's.
"""

import base64
import http.client
import json
import re
import urllib.parse

import botocore.exceptions
import botocore.session
import pytest

from support.client import ALLOW_ALL, trust
from support.login import CROSS_DEVICE, SAME_DEVICE, Program
from support.person import Person, new_password
from support.secrets import hold
from support.server import Keys
from support.visitor import Visitor

AUTHORIZE = "/v1/authorize"


@pytest.fixture(scope="module")
def role(home):
    return home.role(trust(home.root_arn), json.dumps(ALLOW_ALL), prefix="desk")


@pytest.fixture
def visitor(server, admin, role):
    """Somebody who is signed in, and the page where they are."""
    visitor = Visitor(server)
    given = admin.sts.assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
    visitor.page, visitor.path = visitor.sign_in(Keys.of(given))
    return visitor


def let_in(visitor, program):
    """Where the browser goes when its holder lets the program in."""
    page = visitor.get(program.address())
    assert page.status == 200 and "/ada" in page.text, page.text
    return visitor.post(AUTHORIZE, page.forms()[AUTHORIZE])


def code_of(answer, program):
    """The code that the browser takes to the program."""
    place, _, query = answer.location.partition("?")
    assert (answer.status, place) == (302, program.redirect_uri)
    told = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
    assert told.keys() == {"code", "state"} and told["state"] == program.state
    hold("authorization code", told["code"])
    return told["code"]


def code_on(page):
    """What somebody carries to another machine."""
    [text] = re.findall(r"<textarea[^>]*>([^<]+)</textarea>", page.text)
    return text


def why(tokens, *arguments, **more):
    """The error of the API that a call of the program meets."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        tokens(*arguments, **more)
    response = caught.value.response
    return response["Error"]["Code"], response["error"]


def test_a_code_becomes_credentials_that_are_refreshed(server, house, role, visitor):
    program = Program(server)
    given = program.tokens(code_of(let_in(visitor, program), program))
    assert given["tokenType"] == "aws_sigv4" and 890 <= given["expiresIn"] <= 900
    claims = json.loads(base64.urlsafe_b64decode(given["idToken"].split(".")[1] + "=="))
    assert claims["sub"].endswith(f":assumed-role/{role['RoleName']}/ada") and claims["aud"] == program.client_id
    again = program.refreshed(given["refreshToken"])
    assert "idToken" not in again
    for token in (given, again):
        keys = Keys(*(token["accessToken"][name] for name in ("accessKeyId", "secretAccessKey", "sessionToken")))
        assert house.sts(keys).get_caller_identity()["Arn"] == claims["sub"]


def test_botocore_refreshes_what_a_login_left_behind(server, visitor, tmp_path, monkeypatch):
    program = Program(server)
    given = program.tokens(code_of(let_in(visitor, program), program))
    arn = "arn:aws:iam::111122223333:user/ada"
    kept = {
        "accessToken": given["accessToken"] | {"accountId": "111122223333", "expiresAt": "2020-01-01T00:00:00Z"},
        "refreshToken": given["refreshToken"],
        "clientId": program.client_id,
        "dpopKey": program.pem(),
    }
    (tmp_path / "config").write_text(f"[default]\nlogin_session = {arn}\nregion = us-east-1\n")
    cache = tmp_path / "cache"
    cache.mkdir()
    from botocore.utils import generate_login_cache_key

    (cache / f"{generate_login_cache_key(arn)}.json").write_text(json.dumps(kept))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(cache))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    session = botocore.session.Session()
    assert session.get_credentials().method == "login"
    assert session.create_client("sts").get_caller_identity()["Arn"].endswith("/ada")
    visitor.post(f"{visitor.path}sign-out", visitor.page.forms()[f"{visitor.path}sign-out"])
    (cache / f"{generate_login_cache_key(arn)}.json").write_text(json.dumps(kept))
    with pytest.raises(botocore.exceptions.LoginRefreshRequired):
        botocore.session.Session().create_client("sts").get_caller_identity()


def test_a_code_counts_once_and_for_who_asked_for_it(server, visitor):
    program, thief = Program(server), Program(server)
    code = code_of(let_in(visitor, program), program)
    assert why(thief.tokens, code) == ("AccessDeniedException", "AUTHCODE_EXPIRED")
    assert why(program.tokens, code, redirectUri="http://127.0.0.1:1/oauth/callback")[1] == "AUTHCODE_EXPIRED"
    assert why(program.tokens, code, clientId=CROSS_DEVICE)[1] == "AUTHCODE_EXPIRED"
    assert why(program.tokens, code[:-2])[1] == "AUTHCODE_EXPIRED"
    refresh = program.tokens(code)["refreshToken"]
    assert why(program.tokens, code)[1] == "AUTHCODE_EXPIRED"
    assert why(thief.refreshed, refresh) == ("AccessDeniedException", "TOKEN_EXPIRED")
    assert why(program.refreshed, refresh, clientId=CROSS_DEVICE)[1] == "TOKEN_EXPIRED"
    assert why(program.tokens, refresh)[1] == "AUTHCODE_EXPIRED"
    program.refreshed(refresh)


@pytest.mark.parametrize(
    "changed",
    [
        {"claims": {"htu": "https://elsewhere.example/v1/token"}},
        {"claims": {"htm": "GET"}},
        {"claims": {"iat": 0}},
        {"claims": {"jti": ""}},
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "none"}},
        {"header": {"jwk": {}}},
        {"header": {"crit": ["exp"]}},
    ],
    ids=str,
)
def test_a_proof_must_be_one(server, visitor, changed):
    program = Program(server)
    refresh = program.tokens(code_of(let_in(visitor, program), program))["refreshToken"]
    for part, members in changed.items():
        setattr(program, part, members)
    assert why(program.refreshed, refresh) == ("ValidationException", "INVALID_REQUEST")
    program.header, program.claims = {}, {}
    program.refreshed(refresh)


def test_a_proof_counts_once(server, visitor):
    program = Program(server)
    program.claims = {"jti": "the-same"}
    refresh = program.tokens(code_of(let_in(visitor, program), program))["refreshToken"]
    assert why(program.refreshed, refresh) == ("ValidationException", "INVALID_REQUEST")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:8765/oauth/callback/"},
        {"redirect_uri": "http://127.0.0.1:8765@evil.example/oauth/callback"},
        {"redirect_uri": "http://localhost:8765/oauth/callback"},
        {"redirect_uri": "https://evil.example/oauth/callback"},
        {"redirect_uri": "http://127.0.0.1:0/oauth/callback"},
        {"redirect_uri": "http://127.0.0.1:08765/oauth/callback"},
        {"redirect_uri": "http://127.0.0.1:65536/oauth/callback"},
        {"client_id": "arn:aws:signin:::devtools/other"},
        {"client_id": CROSS_DEVICE},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"scope": "openid admin"},
        {"state": "s" * 513},
        {"more": "x"},
    ],
    ids=str,
)
def test_nobody_is_sent_anywhere_by_a_request_that_is_not_in_order(server, visitor, changed):
    program = Program(server)
    page = visitor.get(program.address(**changed))
    assert page.status == 400 and page.location is None and not page.forms()
    good = visitor.get(program.address()).forms()[AUTHORIZE]
    answer = visitor.post(AUTHORIZE, good | changed)
    assert answer.status == 400 and answer.location is None


def test_only_who_sits_before_the_browser_lets_a_program_in(server, visitor):
    program = Program(server)
    form = visitor.get(program.address()).forms()[AUTHORIZE]
    for wrong in ({"code": ""}, {"code": "00" * 32}, {"code": form["session"]}):
        assert visitor.post(AUTHORIZE, form | wrong).status == 403
    assert visitor.post(AUTHORIZE, form, cookies=False).location is None
    assert not Visitor(server).get(program.address()).forms(), "a browser that is signed in nowhere"
    own = Visitor(server).get(program.address())
    assert "signed in nowhere" in own.text
    assert visitor.get(program.address()).headers["Content-Security-Policy"].count("http://127.0.0.1:8765") == 1


def test_the_role_needs_the_permission_that_awss_policy_gives(server, home, admin):
    program = Program(server)
    role = home.role(trust(home.root_arn), prefix="local")
    visitor = Visitor(server)
    given = admin.sts.assume_role(RoleArn=role["Arn"], RoleSessionName="ada")["Credentials"]
    visitor.sign_in(Keys.of(given))
    assert let_in(visitor, program).status == 403
    policy = "arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess"
    home.iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=policy)
    tokens = program.tokens(code_of(let_in(visitor, program), program))
    home.iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=policy)
    denied = ("AccessDeniedException", "INSUFFICIENT_PERMISSIONS")
    assert why(program.refreshed, tokens["refreshToken"]) == denied
    # The program is told less than the account.
    lines = [line for path in server.audits() for line in path.read_text().splitlines() if role["RoleName"] in line]
    told = [event for event in map(json.loads, lines) if event["eventName"] == "CreateOAuth2Token"][-1]
    assert told["responseElements"] == {"CreateOAuth2Token": "Failure"}
    assert "is not authorized to perform: signin:CreateOAuth2Token on resource:" in told["errorMessage"]


def test_a_parameter_of_the_address_is_refused_by_name(server):
    body = json.dumps({"clientId": SAME_DEVICE, "grantType": "refresh_token", "refreshToken": "x"})
    connection = http.client.HTTPConnection(server.host, timeout=30)
    connection.request("POST", "/v1/token?DurationSeconds=1&x=y", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    refused = json.loads(answer.read())
    connection.close()
    assert (answer.status, refused["error"]) == (400, "INVALID_REQUEST")
    assert refused["message"] == "The parameter DurationSeconds of the address is not known."


def asked(server, method, body, proof, host=None):
    """One request at /v1/token by hand."""
    connection = http.client.HTTPConnection(server.host, timeout=30)
    headers = {"Content-Type": "application/json", "DPoP": proof, **({"Host": host} if host else {})}
    connection.request(method, "/v1/token", json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers["Content-Type"], json.loads(text) if text else None


def body_of(program, code, **changed):
    asked = {"grantType": "authorization_code", "clientId": program.client_id, "code": code}
    return {**asked, "codeVerifier": program.verifier, "redirectUri": program.redirect_uri, **changed}


@pytest.mark.parametrize("client_id", ["https://relying.example", "", "\0\n{}", "x" * 60_000, SAME_DEVICE.upper()], ids=lambda it: it[:9])
def test_a_code_is_given_to_no_program_of_another_name_and_not_used_up(server, visitor, client_id):
    program = Program(server)
    code = code_of(let_in(visitor, program), program)
    status, _, told = asked(server, "POST", body_of(program, code, clientId=client_id), program.proof())
    assert (status, told["error"]) == (400, "INVALID_REQUEST") and "accessToken" not in told
    program.tokens(code)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
def test_only_a_post_uses_a_code_up(server, visitor, method):
    program = Program(server)
    code = code_of(let_in(visitor, program), program)
    status, kind, told = asked(server, method, body_of(program, code), program.proof())
    assert status == 400 and kind == "application/json" and (told is None or told["error"] == "INVALID_REQUEST")
    program.tokens(code)


def test_a_body_too_large_is_refused_in_the_words_of_programs(server):
    status, kind, told = asked(server, "POST", {"code": "x" * 2_000_000}, "x")
    assert status in (400, 413) and kind == "application/json" and told["error"]


def test_without_a_public_url_the_host_that_a_client_names_binds_no_proof(server, visitor):
    program = Program(server)
    code = code_of(let_in(visitor, program), program)
    program.claims = {"htu": "http://relay.example/v1/token"}
    status, _, told = asked(server, "POST", body_of(program, code), program.proof(), host="relay.example")
    assert (status, told["error"]) == (400, "INVALID_REQUEST") and "--public-url" in told["message"]
    program.claims = {}
    program.tokens(code)


def test_a_code_for_another_machine_counts_with_the_whole_address_it_was_asked_with(server, visitor):
    program = Program(server, CROSS_DEVICE, f"{server.endpoint}/v1/sessions/confirmation")
    text = code_on(let_in(visitor, program))
    code = dict(urllib.parse.parse_qsl(base64.b64decode(text).decode()))["code"]
    hold("authorization code", code)
    for other in ("https://evil.example/", "x", f"{program.redirect_uri}?x"):
        assert why(program.tokens, code, redirectUri=other)[1] == "AUTHCODE_EXPIRED"
    program.tokens(code)


def test_sessions_that_are_over_take_nobodys_place(server, admin, role):
    visitor, paths = Visitor(server), []
    for turn in range(22):
        given = admin.sts.assume_role(RoleArn=role["Arn"], RoleSessionName=f"ada{turn}")["Credentials"]
        page, path = visitor.sign_in(Keys.of(given))
        if turn < 21:
            # Ended elsewhere: this browser knows nothing of it.
            cookies = dict(visitor.cookies)
            visitor.post(f"{path}sign-out", page.forms()[f"{path}sign-out"])
            visitor.cookies = cookies
            paths.append(path)
    shown = visitor.get(Program(server).address())
    assert "/ada21" in shown.text and shown.text.count("/ada") == 1
    # The page of one that is over is refused, and takes its cookies along.
    kept = len(visitor.cookies)
    assert visitor.get(paths[0]).status == 403 and len(visitor.cookies) == kept - 2


def test_a_refresh_token_with_another_key_is_told_as_whose_it_is(server, visitor):
    program, thief = Program(server), Program(server)
    refresh = program.tokens(code_of(let_in(visitor, program), program))["refreshToken"]
    assert why(thief.refreshed, refresh) == ("AccessDeniedException", "TOKEN_EXPIRED")
    # What issues something is answered once its line is in the file, and with it those before.
    program.refreshed(refresh)
    events = [event for event in events_of(server) if event["eventName"] == "CreateOAuth2Token"]
    refused, given = events[-2:]
    assert "another key" in refused["errorMessage"] and refused["userIdentity"]["arn"].endswith("/ada")
    assert "errorMessage" not in given


def events_of(server):
    return [json.loads(line) for path in server.audits() for line in path.read_text().splitlines()]


def test_the_session_of_a_programs_key_is_in_the_audit(server, home, visitor):
    program = Program(server)
    leaked = program.tokens(code_of(let_in(visitor, program), program))["accessToken"]["accessKeyId"]
    said = [event["additionalEventData"] for event in events_of(server) if leaked in json.dumps(event)]
    session = next(data["sessionId"] for data in said if data and data.get("accessKeyId") == leaked)
    assert session in visitor.path
    home.daypass.revoke_session(SessionId=session)
    assert visitor.get(visitor.path).status == 403


def test_a_code_for_another_machine_is_shown(server, visitor):
    program = Program(server, CROSS_DEVICE, f"{server.endpoint}/v1/sessions/confirmation")
    shown = let_in(visitor, program)
    assert shown.status == 200 and shown.location is None
    text = code_on(shown)
    told = dict(urllib.parse.parse_qsl(base64.b64decode(text).decode(), strict_parsing=True))
    hold("authorization code", told["code"])
    assert told["state"] == program.state
    assert program.tokens(told["code"])["tokenType"] == "aws_sigv4"


def test_signing_out_ends_what_programs_have(server, house, visitor):
    program, late = Program(server), Program(server)
    given = program.tokens(code_of(let_in(visitor, program), program))
    unused = code_of(let_in(visitor, late), late)
    visitor.post(f"{visitor.path}sign-out", visitor.page.forms()[f"{visitor.path}sign-out"])
    assert why(program.refreshed, given["refreshToken"]) == ("AccessDeniedException", "TOKEN_EXPIRED")
    assert why(late.tokens, unused)[1] in ("AUTHCODE_EXPIRED", "TOKEN_EXPIRED")
    keys = Keys(*(given["accessToken"][name] for name in ("accessKeyId", "secretAccessKey", "sessionToken")))
    with pytest.raises(botocore.exceptions.ClientError, match="ExpiredToken"):
        house.sts(keys).get_caller_identity()


@pytest.mark.parametrize("change", ["update", "delete"])
def test_another_password_ends_what_programs_have(server, home, house, change):
    person = Person(server, home.user(json.dumps(ALLOW_ALL)))
    person.enter()
    program = Program(server)
    page = person.visitor.get(program.address())
    code = code_of(person.visitor.post(AUTHORIZE, page.forms()[AUTHORIZE]), program)
    again = program.refreshed(program.tokens(code)["refreshToken"])
    if change == "update":
        home.iam.update_login_profile(UserName=person.user.name, Password=new_password())
    else:
        home.iam.delete_login_profile(UserName=person.user.name)
    assert why(program.refreshed, again["refreshToken"]) == ("AccessDeniedException", "USER_CREDENTIALS_CHANGED")
    # The session of the console goes on, as on AWS.
    assert person.visitor.get(person.path).status == 200
