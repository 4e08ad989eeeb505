"""Web identity tokens that get nobody a session, each with one fault and otherwise as a provider signs them: over HTTP, with
AWS's code and words; nothing is fetched for them, and nothing of them is in the log, the audit or the metrics, of no claim and
of no member of the header.

AWS sources: AssumeRoleWithWebIdentity in the AWS STS API Reference. Further: RFC 7515, RFC 7519 and RFC 8725, whose section 2
tells of the attacks.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from support.client import Account, House, allow, refused, trust
from support.issuer import Issuer, Key, encoded
from support.marks import mark, marks_in
from support.secrets import Search
from support.server import Keys, Server
from support.signing import Request

# Long enough to be looked for.
SUBJECT = f"nobody-shall-read-this-subject-anywhere-{mark('sub')}"
INVALID, OLD, DENIED = "InvalidIdentityToken", "ExpiredTokenException", "AccessDenied"
NO_TOKEN = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
AUDIENCE = "Incorrect token audience"
ALGORITHM = "The ID Token is not signed with an algorithm that is allowed for its provider"
SIGNATURE = "The signature of the ID Token does not verify"
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  "
    "please reference AssumeRoleWithWebIdentity documentation for requirements"
)
EARLY = "The ID Token is not valid yet"
ROLE = "The requested role is not one of those that the ID Token names"
REFUSED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
TAGS, IDENTITY = "https://aws.amazon.com/tags", "https://aws.amazon.com/source_identity"
NOW = int(time.time())
# Words of every claim and of the header that a provider may set as it likes.
MARKED = {
    "jti": mark("jti"),
    "nonce": mark("nonce"),
    "amr": [mark("amr")],
    "email": f"{mark('email')}@example.test",
    "groups": [mark("groups"), "staff"],
    mark("name"): True,
    "deep": {mark("member"): [{"x": mark("deep")}]},
}
HEADER = {"cty": mark("cty"), "typ": mark("typ"), mark("headername"): mark("header")}
END_OF_TIME = 2**62


class Place:
    """A server, a provider whose keys it knows already, and others that it has not asked yet."""

    def __init__(self, folder):
        self.issuer, self.others = Issuer(), [Issuer() for _ in range(3)]
        settings = [word for issuer in (self.issuer, *self.others) for word in ("--allow-insecure-issuer", issuer.url)]
        self.server = Server(folder, "--log", "trace,hyper=trace,h2=trace", "--audit-stdout", *settings)
        self.house = House(self.server)
        self.home = Account(self.house, self.server.root_keys())
        self.roles = {issuer: self.role(issuer) for issuer in (self.issuer, *self.others)}
        self.thief, self.key = Key("first"), self.issuer.keys[0]
        self.sts, self.sent = self.house.nobody(lax=True), []

    def role(self, issuer):
        made = self.home.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app", "other"])
        trusted = {"Federated": made["OpenIDConnectProviderArn"]}
        # Not by its name, which the audit would have from here.
        alike = {"StringLike": {f"{issuer.name}:sub": ["alice", f"{SUBJECT[:6]}*"]}}
        document = trust(trusted, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"], alike)
        return self.home.role(document, allow("*"), prefix="web")["Arn"]

    def assume(self, token, issuer=None, **more):
        self.sent.append(token)
        call = {"RoleArn": self.roles[issuer or self.issuer], "RoleSessionName": "laptop", "WebIdentityToken": token}
        return self.sts.assume_role_with_web_identity(**{**call, **more})

    def claims(self, **more):
        return self.issuer.claims(**{**MARKED, "sub": SUBJECT, **more})

    def token(self, **claims):
        return self.key.sign(self.claims(**claims), **HEADER)

    def of_alice(self, **claims):
        """A good one, but for what these claims make of it; of nothing in it but the subject may be told."""
        return self.token(**{"sub": "alice", **claims})

    def parts(self):
        return self.token().split(".")

    def headed(self, **header):
        return self.key.sign(self.claims(), **{**HEADER, **header})

    def texts(self, head=None, body=None, **how):
        """Signed, whatever the texts are."""
        head = head or HEAD % ""
        return self.key.compact(head, body or json.dumps(self.claims()), **how)

    def mac(self, algorithm, secret):
        """With the public key as a secret that both sides share."""
        signed = f"{encoded(json.dumps({'alg': algorithm, 'kid': 'first', **HEADER}))}.{encoded(json.dumps(self.claims()))}"
        return f"{signed}.{encoded(hmac.new(secret, signed.encode(), getattr(hashlib, 'sha' + algorithm[2:])).digest())}"

    def other_kind(self, algorithm, sign):
        signed = f"{encoded(json.dumps({'alg': algorithm, 'kid': 'first', **HEADER}))}.{encoded(json.dumps(self.claims()))}"
        return f"{signed}.{encoded(sign(signed.encode()))}"


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("web-identity-refused"))
    assert place.assume(place.issuer.token())["SubjectFromWebIdentityToken"] == "alice"
    place.sent.clear()
    yield place
    for issuer in (place.issuer, *place.others):
        issuer.close()
    assert place.server.stop() == 0


def spoilt(place, part, change):
    """A good token, one of whose parts was changed."""
    parts = place.parts()
    parts[part] = change(parts[part])
    return ".".join(parts)


def other_claims(place, **claims):
    """The signature of a token, under other claims."""
    head, _, signature = place.parts()
    return f"{head}.{encoded(json.dumps(place.claims(**claims)))}.{signature}"


def decoded(text):
    return base64.urlsafe_b64decode(text + "==")


def readable(token):
    """What stands in the parts of a token, as far as it is base64."""
    for part in token.split("."):
        letters = re.sub("[^A-Za-z0-9_-]", "", part)
        yield base64.urlsafe_b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==")


def last_bits(text):
    """The same bytes, written so that a lax reader takes them: bits that mean nothing are set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + letters[letters.index(text[-1]) | 1]


def jwk(place):
    return {**{known: place.thief.public[known] for known in ("kty", "n", "e")}, "kid": mark("jwk")}


def certificate(place):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(place.thief.private.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def canary(place):
    return f"{place.issuer.url}/visited-{mark('url')}"


P256, ED25519 = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
HEAD = f'{{"alg":"RS256","kid":"first"%s,"cty":"{mark("cty")}"}}'
# By message, each row a token.
TABLE = {
    NO_TOKEN: {
        "opaque": lambda p: f"ya29.an-access-token-of-{mark('opaque')}",
        "two parts": lambda p: ".".join(p.parts()[:2]),
        "four parts": lambda p: p.token() + ".AAAA",
        "five parts": lambda p: ".".join([*p.parts(), "AAAA", "AAAA"]),
        "empty parts": lambda p: "....",
        "blank behind": lambda p: p.token() + " ",
        "line end within": lambda p: spoilt(p, 1, lambda part: part[:60] + "\n" + part[60:]),
        "blank before": lambda p: " " + p.token(),
        "Bearer": lambda p: "Bearer " + p.token(),
        "padding": lambda p: spoilt(p, 2, lambda part: part + "=="),
        "base64 of the other kind": lambda p: spoilt(p, 2, lambda part: "+/" + part[2:]),
        "bits that mean nothing": lambda p: spoilt(p, 2, last_bits),
        "not ASCII": lambda p: spoilt(p, 2, lambda part: part + "é"),
        "header that is no JSON": lambda p: p.texts(head=mark("head")),
        "header that is a list": lambda p: p.texts(head=json.dumps([mark("head")])),
        "no alg": lambda p: p.headed(alg=None),
        "alg that is a number": lambda p: p.headed(alg=256),
        "kid that is a number": lambda p: p.headed(kid=1),
        "kid that is null": lambda p: p.texts(head=HEAD.replace('"first"', "null") % ""),
        "extension that must be understood": lambda p: p.headed(crit=["b64", mark("crit")], b64=False),
        "header member twice": lambda p: p.texts(head=HEAD % ',"alg":"none"'),
        "claim twice": lambda p: p.texts(body=json.dumps(p.claims())[:-1] + ',"sub":"alice"}'),
        "claim twice, once escaped": lambda p: p.texts(body=json.dumps(p.claims())[:-1] + ',"su\\u0062":"alice"}'),
        "member twice further in": lambda p: p.texts(body=json.dumps(p.claims())[:-1] + ',"a":{"b":1,"b":2}}'),
        "claims that are a list": lambda p: p.texts(body=json.dumps([mark("list")])),
        "claims with something behind": lambda p: p.texts(body=json.dumps(p.claims()) + "{}"),
        "claims that are not UTF-8": lambda p: p.texts(body=json.dumps(p.claims()).encode()[:-1] + b',"a":"\xff"}'),
        "byte order mark": lambda p: p.texts(body="\ufeff" + json.dumps(p.claims())),
        "too deep": lambda p: p.texts(body=json.dumps(p.claims())[:-1] + f',"a":{"[" * 900}{"]" * 900}}}'),
        "JSON form": lambda p: json.dumps(dict(zip(("protected", "payload", "signature"), p.parts()))),
    },
    **{
        f"Missing a required claim: {claim}": {
            f"{claim} absent": lambda p, claim=claim: p.token(**{claim: None}),
            f"{claim} null": lambda p, claim=claim: p.texts(body=json.dumps({**p.claims(), claim: None})),
            f"{claim} true": lambda p, claim=claim: p.token(**{claim: True}),
        }
        for claim in ("iss", "sub", "aud", "exp", "iat")
    },
    "Missing a required claim: nbf": {"nbf that is a word": lambda p: p.token(nbf=mark("nbf"))},
    "Missing a required claim: azp": {"azp that is a list": lambda p: p.token(azp=[mark("azp")])},
    "Missing a required claim: amr": {"amr that is a number": lambda p: p.token(amr=1)},
    AUDIENCE: {
        "another aud": lambda p: p.token(aud=mark("aud")),
        "aud in other case": lambda p: p.token(aud="App"),
        "aud with a blank": lambda p: p.token(aud="app "),
        "several aud": lambda p: p.token(aud=["app", "other"]),
        "another azp": lambda p: p.token(azp=mark("azp")),
        "azp that is empty": lambda p: p.token(azp=""),
    },
    ALGORITHM: {
        "none": lambda p: f"{encoded(json.dumps({'alg': 'none'}))}.{p.parts()[1]}.",
        "none with a signature": lambda p: p.headed(alg="none"),
        "None": lambda p: f"{encoded(json.dumps({'alg': 'nOnE', 'kid': 'first'}))}.{p.parts()[1]}.",
        "HS256 with the public key": lambda p: p.mac("HS256", p.key.pem),
        "HS384 with the public key": lambda p: p.mac("HS384", p.key.pem),
        "HS512 with the modulus": lambda p: p.mac("HS512", p.key.public["n"].encode()),
        "PS256": lambda p: p.texts(head=HEAD.replace("RS", "PS") % "", how=PSS),
        "EdDSA": lambda p: p.other_kind("EdDSA", ED25519.sign),
        "ES256K": lambda p: p.other_kind("ES256K", lambda text: P256.sign(text, ec.ECDSA(hashes.SHA256()))),
        "RS1": lambda p: p.texts(head=HEAD.replace("RS256", "RS1") % "", digest=hashes.SHA1()),
        "rs256": lambda p: p.headed(alg="rs256"),
        "no algorithm": lambda p: p.headed(alg=""),
        "algorithm that nobody knows": lambda p: p.headed(alg=mark("alg")),
    },
    SIGNATURE: {
        "somebody else's key": lambda p: p.thief.sign(p.claims()),
        "key in the header": lambda p: p.thief.sign(p.claims(), jwk=jwk(p)),
        "certificate in the header": lambda p: p.thief.sign(p.claims(), x5c=[certificate(p)]),
        "address of keys in the header": lambda p: p.thief.sign(p.claims(), jku=canary(p)),
        "address of a certificate": lambda p: p.thief.sign(p.claims(), x5u=canary(p)),
        "no signature": lambda p: ".".join(p.parts()[:2]) + ".",
        "signature cut off": lambda p: spoilt(p, 2, lambda part: encoded(decoded(part)[:-1])),
        "signature twice": lambda p: spoilt(p, 2, lambda part: encoded(decoded(part) * 2)),
        "signature of zeros": lambda p: spoilt(p, 2, lambda part: encoded(bytes(256))),
        "other claims": lambda p: other_claims(p, sub="alice"),
        "longer life": lambda p: other_claims(p, exp=NOW + 86_400),
        "other header": lambda p: spoilt(p, 0, lambda part: encoded('{"kid":"first","alg":"RS256"}')),
        "another digest": lambda p: p.headed(alg="RS512"),
        "algorithm of another kind of key": lambda p: p.headed(alg="ES256"),
        "ECDSA by another key": lambda p: p.other_kind("ES256", lambda text: P256.sign(text, ec.ECDSA(hashes.SHA256()))),
    },
    re.compile(r"^Token expired: current date/time \d{10} must be before the expiration date/time \d+$"): {
        "expired": lambda p: p.token(exp=NOW - 301),
        "expired, as text": lambda p: p.token(exp=str(NOW - 301)),
        "expired at the beginning of time": lambda p: p.token(exp=0),
    },
    re.compile(r"^Token too old: 8\d{4}$"): {"a day old": lambda p: p.token(iat=NOW - 86_401)},
    EARLY: {
        "issued in the future": lambda p: p.token(iat=NOW + 86_400),
        "not before then": lambda p: p.token(nbf=NOW + 86_400),
        "not before the end of time": lambda p: p.token(nbf=END_OF_TIME),
    },
    ROLE: {
        "another role": lambda p: p.token(**{"https://aws.amazon.com/roles": [f"arn:aws:iam::111122223333:role/{mark('role')}"]}),
        "no role": lambda p: p.token(**{"https://aws.amazon.com/roles": []}),
        "role that is no text": lambda p: p.token(**{"https://aws.amazon.com/roles": {"a": mark("role")}}),
    },
    f"The claim {TAGS} is not of its form": {
        "tag with two values": lambda p: p.token(**{TAGS: {"principal_tags": {mark("tagkey"): [mark("tag"), "b"]}}}),
        "tag that is a number": lambda p: p.token(**{f"{TAGS}/principal_tags/{mark('tagkey')}": 1}),
        "tags of an unknown kind": lambda p: p.token(**{TAGS: {mark("tags"): {}}}),
    },
    f"The claim {IDENTITY} is not of its form": {
        "source identity that is a list": lambda p: p.token(**{IDENTITY: [mark("identity")]}),
    },
}
FRACTIONS = {"exp": lambda p: p.token(exp=NOW + 600.5), "iat": lambda p: p.token(iat=NOW - 0.5), "aud": lambda p: p.token(aud=[])}


def refusals():
    for message, rows in TABLE.items():
        words = message.pattern if isinstance(message, re.Pattern) else message
        code = OLD if "Token expired" in words or "too old" in words else INVALID
        for known, make in rows.items():
            yield pytest.param(code, message, make, id=known)
    for claim, make in FRACTIONS.items():
        yield pytest.param(INVALID, f"Missing a required claim: {claim}", make, id=f"{claim} of another form")


@pytest.mark.parametrize("code,message,make", refusals())
def test_token_is_refused(place, code, message, make):
    with refused(code, message, 400):
        place.assume(make(place))


OTHER_ISSUERS = [lambda url: f"{url}/{mark('iss')}", lambda url: url.replace("http:", "https:"), str.upper, lambda url: ""]


@pytest.mark.parametrize("change", OTHER_ISSUERS)
def test_issuer_is_the_registered_one_to_the_letter(place, change):
    issuer = change(place.issuer.url)
    with refused(INVALID, f"No OpenIDConnect provider found in your account for {issuer}", 400):
        place.assume(place.token(iss=issuer))


def test_key_must_be_one_that_the_provider_publishes(place):
    unknown, unnamed, private = place.others
    unnamed.keys.append(Key("second"))
    private.keys[0].public["use"] = "enc"
    for issuer, header in ((unknown, {"kid": f"../{mark('kid')}"}), (unnamed, {"kid": None}), (private, {})):
        token = issuer.keys[0].sign(issuer.claims(**MARKED, sub=SUBJECT), **{**HEADER, **header})
        with refused(INVALID, NO_KEY, 400):
            place.assume(token, issuer)
        assert len(issuer.asked) == 2


def test_provider_of_another_account_and_roles_that_are_not_there(place):
    other = Account(place.house, place.server.create_account())
    theirs = other.role(prefix="web")["Arn"]
    for arn in (theirs, "arn:aws:iam::111122223333:role/a"):
        with refused(INVALID, f"No OpenIDConnect provider found in your account for {place.issuer.url}"):
            place.assume(place.token(), RoleArn=arn)
    for arn in (place.roles[place.issuer] + "x", place.roles[place.others[0]]):
        with refused(DENIED, REFUSED, 403):
            place.assume(place.of_alice(), RoleArn=arn)
    for claims in ({"sub": "bob"}, {"sub": "Alice"}, {IDENTITY: "ada"}):
        with refused(DENIED, REFUSED, 403):
            place.assume(place.of_alice(**claims))
    for parameter in ({"ProviderId": "www.amazon.com"}, {"WebIdentityToken": "abc"}, {"WebIdentityToken": "A" * 20_001}):
        with refused(("ValidationError", "InvalidParameterValue", INVALID)):
            place.assume(place.of_alice(), **parameter)


def test_token_in_an_address_or_a_signed_call_is_refused_alike(place):
    for method in ("GET", "POST"):
        token = other_claims(place, jti=mark(f"jti{method.lower()}"))
        place.sent.append(token)
        call = {"RoleArn": place.roles[place.issuer], "RoleSessionName": "laptop", "WebIdentityToken": token}
        request = Request.action(place.server.host, "AssumeRoleWithWebIdentity", method=method, **call)
        for answer in (request.send(), request.sign(place.home.keys).send()):
            assert (answer.status, answer.code, answer.message) == (400, INVALID, SIGNATURE), answer


def test_nothing_was_fetched_and_nothing_of_a_token_is_in_log_audit_or_metrics(place):
    """Comes last. Who was verified may be told, as the audit does of alice; of what was refused nothing is."""
    assert place.issuer.asked == ["/realm/.well-known/openid-configuration", "/realm/keys"]
    refused_ones = list(place.sent)
    answer = place.assume(place.of_alice())
    assert place.house.sts(Keys.of(answer["Credentials"])).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    told = {path: place.server.admin(path)[1].encode() for path in ("/metrics", "/readyz")}
    # It still runs, and at its end it has written all.
    assert place.server.process.poll() is None and place.server.stop() == 0
    pieces = {SUBJECT: "a subject"}
    for token in refused_ones:
        pieces.update({part: "a part of a token" for part in token.split(".") if len(set(part)) > 2 and len(part) > 40})
    search = Search(pieces)
    assert search.in_bytes(f"subject={SUBJECT}".encode()) and search.in_bytes(refused_ones[30].encode())
    files = [pathlib.Path(path) for path in (place.server.log, place.server.printed, *place.server.audits())]
    assert all(path.stat().st_size for path in files) and len(refused_ones) > 80
    assert [(str(path), kind) for path in files if (kind := search.in_file(path))] == []
    told.update({str(path): path.read_bytes() for path in files})
    # There is something to be read, as far as it is ours.
    assert place.issuer.name.encode() in told["/metrics"] and b"AssumeRoleWithWebIdentity" in told[str(place.server.log)]
    # Of a token that verified, and that the role does not trust, the audit has the name: it is who came.
    named = {where: re.sub(rb'(?m)^(.*"userIdentity".*"jti":")[a-z0-9]+(".*)$', rb"\1\2", text) for where, text in told.items()}
    assert {where: marks for where, text in named.items() if (marks := marks_in(text))} == {}
    assert [where for where, text in told.items() if str(END_OF_TIME).encode() in text] == []
    # All that was looked for was sent.
    sent = marks_in(*(text for token in refused_ones for text in readable(token)))
    assert set(sent) >= {"sub", "jti", "amr", "groups", "name", "deep", "iss", "aud", "azp", "role", "tag", "identity"}
    assert set(sent) >= {"cty", "header", "kid", "alg", "jwk", "url", "crit"}
