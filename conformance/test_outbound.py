"""GetWebIdentityToken: whoever believes an account's issuer verifies its tokens by what is published there, as any
OpenID Connect library would, and nobody else's.

AWS sources: GetWebIdentityToken in the AWS STS API Reference; "Federating AWS Identities to external services" in the IAM
User Guide. OpenID Connect Discovery 1.0; RFC 7515, 7517, 7518, 7638.
"""

import base64
import hashlib
import json
import subprocess
import time
import types
import urllib.error
import urllib.request

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from support.client import Account, House, allow, refused, trust
from support.server import Keys, Server, binary, clean_environment

HOST = "id.example.test"
OF_STS = "https://sts.amazonaws.com/"


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    """A server whose public name is not its address, as behind a proxy; an account that issues tokens."""
    server = Server(tmp_path_factory.mktemp("daypass-outbound"), "--public-url", f"https://{HOST}")
    # The banner says what clients use; where it listens stands beside the data.
    server.endpoint = (server.data / "daypass.lock").read_text(encoding="ascii").split()[-1]
    house = House(server)
    house.session.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", HOST))
    home = Account(house, server.root_keys())
    issuer = home.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    user = home.user(allow("*"))
    yield types.SimpleNamespace(server=server, house=house, home=home, issuer=issuer, user=user)
    assert server.stop() == 0


def fetch(place, url, method="GET"):
    """What anybody gets there, who signs nothing."""
    assert url.startswith(f"https://{HOST}/"), url
    there = place.server.endpoint + url.removeprefix(f"https://{HOST}")
    request = urllib.request.Request(there, headers={"Host": HOST}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def document(place, url):
    status, headers, body = fetch(place, url)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert headers["cache-control"] == "public, max-age=300"
    return json.loads(body)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decoded(text), "big")


def thumbprint(key):
    """RFC 7638."""
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[key["kty"]]
    text = json.dumps({name: key[name] for name in sorted(members)}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def verified(place, issuer, token, audience):
    """The claims of a token, as a relying party reads it that knows the issuer's URL and nothing more."""
    head, body, signature = token.split(".")
    header, claims = json.loads(decoded(head)), json.loads(decoded(body))
    discovery = document(place, f"{issuer}/.well-known/openid-configuration")
    assert discovery["issuer"] == issuer == claims["iss"]
    assert header["alg"] in discovery["id_token_signing_alg_values_supported"]
    keys = document(place, discovery["jwks_uri"])["keys"]
    assert all(key["kid"] == thumbprint(key) and key["use"] == "sig" and "d" not in key for key in keys)
    [key] = [key for key in keys if key["kid"] == header["kid"]]
    assert key["alg"] == header["alg"]
    signed, signature = f"{head}.{body}".encode(), decoded(signature)
    if header["alg"] == "RS256":
        public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
        assert public.key_size == 2048
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert (header["alg"], key["crv"], len(signature)) == ("ES384", "P-384", 96)
        public = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP384R1()).public_key()
        halves = (int.from_bytes(half, "big") for half in (signature[:48], signature[48:]))
        public.verify(encode_dss_signature(*halves), signed, ec.ECDSA(hashes.SHA384()))
    assert claims["aud"] == audience or audience in claims["aud"]
    assert claims["iat"] - 60 < time.time() < claims["exp"]
    return claims


def get(place, keys, **more):
    call = {"Audience": ["https://api.example.com"], "SigningAlgorithm": "ES384", **more}
    return place.house.sts(keys).get_web_identity_token(**call)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_a_token_verifies_by_what_its_issuer_publishes(place, algorithm):
    answer = get(place, place.user.keys, SigningAlgorithm=algorithm, DurationSeconds=60)
    claims = verified(place, place.issuer, answer["WebIdentityToken"], "https://api.example.com")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (place.user.arn, 60)
    assert claims["exp"] == int(answer["Expiration"].timestamp())
    assert claims[OF_STS]["aws_account"] == place.home.id
    assert claims[OF_STS]["principal_id"] == place.user.arn
    forged = answer["WebIdentityToken"].split(".")
    forged[1] = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "root"}).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidSignature):
        verified(place, place.issuer, ".".join(forged), "https://api.example.com")


def test_a_session_says_what_it_carries(place):
    role = place.home.role(trust(place.home.id, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]), allow("*"))
    call = {"RoleArn": role["Arn"], "RoleSessionName": "night", "SourceIdentity": "ada", "DurationSeconds": 900}
    answer = place.house.sts(place.user.keys).assume_role(**call, Tags=[{"Key": "Team", "Value": "red"}])
    session, ends = Keys.of(answer["Credentials"]), answer["Credentials"]["Expiration"]
    tags = [{"Key": "Job", "Value": "7"}]
    token = get(place, session, Audience=["a", "b"], Tags=tags)["WebIdentityToken"]
    claims = verified(place, place.issuer, token, "b")
    assert (claims["sub"], claims["aud"]) == (role["Arn"], ["a", "b"])
    assert claims[OF_STS] == {
        "aws_account": place.home.id,
        "source_region": "us-east-1",
        "principal_id": role["Arn"],
        "principal_tags": {"Team": "red"},
        "request_tags": {"Job": "7"},
        "original_session_exp": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source_identity": "ada",
    }
    with refused("SessionDurationEscalationException", status=403):
        get(place, session, DurationSeconds=3600)


def test_rotation_and_disabling_leave_what_was_issued_verifiable(place):
    token = get(place, place.user.keys)["WebIdentityToken"]
    assert place.server.run("keys", "rotate").returncode == 0
    newer = get(place, place.user.keys)["WebIdentityToken"]
    assert newer.split(".")[0] != token.split(".")[0], "another key signs"
    place.home.iam.disable_outbound_web_identity_federation()
    with refused("OutboundWebIdentityFederationDisabledException", status=403):
        get(place, place.user.keys)
    with refused("FeatureDisabled", status=404):
        place.home.iam.get_outbound_web_identity_federation_info()
    for issued in (token, newer):
        verified(place, place.issuer, issued, "https://api.example.com")
    assert place.home.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == place.issuer
    with refused("FeatureEnabled", status=409):
        place.home.iam.enable_outbound_web_identity_federation()
    shown = place.home.iam.get_outbound_web_identity_federation_info()
    assert (shown["IssuerIdentifier"], shown["JwtVendingEnabled"]) == (place.issuer, True)


def test_another_account_has_another_issuer(place):
    other = Account(place.house, place.server.create_account())
    issuer = other.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert issuer != place.issuer
    token = get(place, other.user(allow("*")).keys)["WebIdentityToken"]
    assert verified(place, issuer, token, "https://api.example.com")[OF_STS]["aws_account"] == other.id


def test_nothing_but_the_documents_is_open_to_strangers(place):
    path = f"{place.issuer}/.well-known/openid-configuration"
    status, headers, body = fetch(place, path, "HEAD")
    assert (status, body) == (200, b"") and int(headers["content-length"]) > 100
    unknown = f"https://{HOST}/web-identity/00000000-0000-4000-8000-000000000000/.well-known/"
    assert fetch(place, unknown + "openid-configuration")[0] == 404
    assert fetch(place, unknown + "jwks.json")[0] == 404
    # Everything else is a call of the API, and nobody signed it.
    for url, method in (
        (f"{path}?Action=GetCallerIdentity&Version=2011-06-15", "GET"),
        (f"{path}/?Action=GetCallerIdentity&Version=2011-06-15", "GET"),
        (f"{place.issuer}?Action=GetCallerIdentity&Version=2011-06-15", "GET"),
    ):
        status, _, body = fetch(place, url, method)
        assert (status, b"MissingAuthenticationToken" in body) == (403, True), (url, body)
    status, _, body = fetch(place, path, "POST")
    assert (status, b"InvalidAction" in body) == (400, True), body


def test_keys_are_told_to_the_operator_by_the_names_that_verifiers_have(place):
    """A verifier's log has `kid` and `jti`; by these the operator finds the key, and the call in the audit."""
    token = place.user.sts.get_web_identity_token(Audience=["a"], SigningAlgorithm="ES384")["WebIdentityToken"]
    header, claims = (json.loads(decoded(part)) for part in token.split(".")[:2])
    command = [binary(), "keys", "list", "--data", str(place.server.data)]
    listed = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)
    lines = [line for line in listed.stdout.splitlines() if line.startswith("web identity tokens, ")]
    active = next(line for line in lines if "active" in line)
    assert f"ES384 {header['kid']}" in active, listed.stdout + listed.stderr
    published = document(place, document(place, f"{place.issuer}/.well-known/openid-configuration")["jwks_uri"])
    assert all(any(key["kid"] in line for line in lines) for key in published["keys"])
    events = [json.loads(line) for path in place.server.audits() for line in path.read_text().splitlines()]
    told = [event["additionalEventData"] for event in events if event["eventName"] == "GetWebIdentityToken"]
    assert {"SignatureVersion": "SigV4", "kid": header["kid"], "jti": claims["jti"]} in told
