"""SAML responses that get nobody a session, each with one fault and otherwise as an identity provider signs them: over HTTP,
with AWS's code and words; nothing is fetched, and nothing of them is in the log, the audit or the metrics: no name, no
attribute, no id.

AWS sources: AssumeRoleWithSAML in the AWS STS API Reference; "Troubleshoot SAML federation with IAM" in the IAM User Guide.
The eight shapes of wrapping are those of "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012).
"""

import base64
import hmac
import pathlib
import re
import xml.etree.ElementTree

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from support.client import Account, House, refused
from support.issuer import Issuer
from support.marks import mark, marks_in
from support.saml import ACS, AUDIENCE, AWS, PERSISTENT, HandMade, attribute, edited, form, instant
from support.secrets import Search
from support.server import Keys, Server
from support.signing import Request
from support.vouched import SamlProvider, assume

# Long enough to be looked for.
SUBJECT = f"nobody-shall-read-this-subject-anywhere-{mark('sub')}"
SESSION = f"alice@{mark('session')}.test"
# The name of her session and the id of her assertion: of alice, who gets in, the audit tells them, as AWS's does.
OF_ALICE = ("alice@example.test", "0")
FORM, SIGNATURE = "Invalid base64 SAMLResponse", "Response signature invalid"
NOT_SIGNED = "Response (with optional signature) must contain an assertion with a mandatory signature"
NOT_LISTED = "SAML Assertion doesn't contain the requested Role and Metadata in the attributes"
DENIED = "Not authorized to perform sts:AssumeRoleWithSAML"
CONFIRMATION = '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
STATUS = "<samlp:Status>"
WHY_IT_FAILED = f"<samlp:StatusMessage>{mark('status')}</samlp:StatusMessage></samlp:Status>"


DS = "http://www.w3.org/2000/09/xmldsig#"
SIGNED_INFO = re.compile("(<ds:SignedInfo>.*</ds:SignedInfo>)", re.DOTALL)
SIGNATURE_VALUE = re.compile("(<ds:SignatureValue>).*(</ds:SignatureValue>)", re.DOTALL)


def pkcs1(pair, text, scheme=padding.PKCS1v15()):
    """RSA with SHA-256."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    return key.sign(text, scheme, hashes.SHA256())


def pss(pair, text):
    return pkcs1(pair, text, padding.PSS(padding.MGF1(hashes.SHA256()), 32))


def mac(pair, text):
    """With the certificate as its key, which everybody knows."""
    return hmac.digest(base64.b64decode(pair.base64), text, "sha256")


class Marked(HandMade):
    """Whose documents have a word in whatever a provider may write as it likes."""

    def assertion(self, *roles, subject, more=""):
        words = attribute(f"urn:{mark('attribute')}", mark("value")) + attribute(MAIL, mark("mail")) + more
        session, identifier = OF_ALICE if subject == "alice" else (SESSION, mark("assertionid"))
        return edited(
            super().assertion(*roles, subject=subject, session=session, more=words),
            (' ID="_a', f' ID="_a{identifier}'),
            ('SessionIndex="_s', f'SessionIndex="_{mark("index")}'),
            (' Format="', f' SPProvidedID="{mark("provided")}" NameQualifier="{mark("qualifier")}" Format="'),
            (f'Recipient="{ACS}"', f'Recipient="{ACS}" InResponseTo="{mark("request")}"'),
        )

    def response(self, inside):
        asked = f' InResponseTo="{mark("request")}" Consent="urn:{mark("consent")}" Destination='
        return edited(super().response(inside), (' ID="_r', f' ID="_r{mark("responseid")}'), (" Destination=", asked))


class Place:
    """A server, a hand-made identity provider that it knows and one that it does not, and somebody who counts visits."""

    def __init__(self, folder):
        self.visited, self.idp, self.thief = Issuer(), Marked(folder), Marked(folder)
        self.server = Server(folder, "--log", "trace,hyper=trace,h2=trace", "--audit-stdout")
        self.house = House(self.server)
        self.home = Account(self.house, self.server.root_keys())
        self.provider = SamlProvider(self.home, self.idp.metadata())
        self.role = self.provider.role({"StringEquals": {"saml:aud": ACS}})
        self.sts, self.sent = self.house.nobody(lax=True), []

    def assume(self, response, **more):
        self.sent.append(response)
        return assume(self.sts, self.role._replace(**more), response)

    def plain(self, **more):
        """An assertion that lacks its signature alone."""
        return self.idp.assertion(self.role, **{"subject": SUBJECT, **more})

    def signed(self, **more):
        return self.idp.response(self.idp.sign(self.plain(**more)))

    def before(self, *changes, **more):
        """With changes that were made before it was signed."""
        return self.idp.response(self.idp.sign(edited(self.plain(**more), *changes)))

    def after(self, *changes):
        """With changes that were made after."""
        return edited(self.signed(), *changes)

    def template(self, *changes):
        """With a signature of another form, which holds all the same."""
        return self.idp.response(self.idp.sign(self.plain(), *changes))

    def resigned(self, *changes, by=None, reference=None, **more):
        """Signed by hand over a SignedInfo with changes: the signature holds for what it says, if anybody takes that."""
        before, info, after = SIGNED_INFO.split(self.idp.sign(self.plain(**more)))
        if reference is not None:
            info = re.sub('(<ds:Reference URI=")[^"]*', lambda found: found[1] + reference, info)
        info = edited(info, *changes)
        declared = edited(info, ("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DS}">'))
        value = (by or pkcs1)(self.idp.pair, xml.etree.ElementTree.canonicalize(declared).encode())
        after = SIGNATURE_VALUE.sub(lambda found: found[1] + base64.b64encode(value).decode() + found[2], after)
        return self.idp.response(before + info + after)

    def twice(self, old, new):
        """Signed, and then signed by the envelope, to which `old` became `new`."""
        return edited(self.idp.sign(self.signed()), (old, new))

    def evil(self):
        """What a thief would like to have read; nobody signed it."""
        return edited(self.plain(), (SUBJECT, f"admin-{mark('evil')}"))


@pytest.fixture(scope="module")
def place(environment, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("saml-refused"))
    assert place.assume(form(place.signed(subject="alice")))["Subject"] == "alice"
    assert place.assume(form(place.resigned(subject="alice")))["Subject"] == "alice"
    place.sent.clear()
    yield place
    place.visited.close()
    assert place.server.stop() == 0


def signature(element):
    """The Signature in an element, and the element without it."""
    before, start, rest = element.partition("<ds:Signature ")
    inside, end, after = rest.partition("</ds:Signature>")
    return f"{start}{inside}{end}", before + after


def behind_issuer(element, inside):
    before, issuer, after = element.partition("</saml:Issuer>")
    return before + issuer + inside + after


def with_object(signed, inside):
    return signed.replace("</ds:Signature>", f"<ds:Object>{inside}</ds:Object></ds:Signature>")


def wrapped(place, shape):
    """What was signed is there, whole, and another assertion is where readers look."""
    signed, evil, idp = place.idp.sign(place.plain()), place.evil(), place.idp
    taken, bare = signature(signed)
    whole, around = signature(idp.sign(idp.response(place.plain())))
    return {
        1: lambda: behind_issuer(idp.response(evil), with_object(whole, around)),
        2: lambda: behind_issuer(idp.response(evil), around + whole),
        3: lambda: idp.response(evil + signed),
        4: lambda: idp.response(evil.replace("</saml:Assertion>", f"{signed}</saml:Assertion>")),
        5: lambda: idp.response(behind_issuer(evil, taken) + bare),
        6: lambda: idp.response(behind_issuer(evil, taken.replace("</ds:SignedInfo>", f"</ds:SignedInfo>{bare}"))),
        7: lambda: idp.response(f"<samlp:Extensions>{evil}</samlp:Extensions>{signed}"),
        8: lambda: idp.response(behind_issuer(evil, with_object(taken, bare))),
    }[shape]()


def forged(place):
    """Signed by somebody else, who put a certificate into it."""
    info = f"</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{place.thief.pair.base64}"
    info += "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    return edited(place.idp.response(place.thief.sign(place.plain())), ("</ds:SignatureValue>", info))


def moved(place):
    """The signature of the response, as if it were the assertion's."""
    taken, around = signature(place.idp.sign(place.idp.response(place.plain())))
    before, assertion, after = around.partition("<saml:Assertion ")
    return before + behind_issuer(assertion + after, taken)


def same_id(place):
    """Another element with the id of the assertion."""
    signed = place.signed()
    identifier = signed.partition("<saml:Assertion ")[2].partition('ID="')[2].partition('"')[0]
    return edited(signed, (STATUS, f'<a xmlns="urn:a" ID="{identifier}"/>{STATUS}'))


def encrypted(place):
    """For a provider that has no key of ours to read it with."""
    return place.idp.response(place.idp.encrypt(place.idp.sign(place.plain()), place.thief.pair.certificate))


def doctype(place, subset):
    return f"<!DOCTYPE r {subset}>" + place.after((SUBJECT, "&e;"))


def readable(response):
    """The XML in it, as far as it is base64."""
    letters = re.sub("[^A-Za-z0-9+/]", "", response)
    return base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==")


def canary(place):
    return f"{place.visited.url}/visited-{mark('url')}"


MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
PRIMARY_AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.5"
NOTHING_IN_IT = "<saml:AttributeValue><!----></saml:AttributeValue>"
DATA = "SubjectConfirmationData "
FORMS = {
    "xml that is not base64": lambda p: p.signed().encode(),
    "base64 for URLs": lambda p: form(p.signed()).replace("P", "-").encode(),
    "base64 cut off": lambda p: form(p.signed())[:-3].encode(),
    "base64 with percent signs": lambda p: form(p.signed()).replace("=", "%3D").replace("P", "%2B", 1).encode(),
    "UTF-16": lambda p: base64.b64encode(p.signed().encode("utf-16")),
    "byte order mark": lambda p: "\ufeff" + p.signed(),
    "XML 1.1": lambda p: '<?xml version="1.1"?>' + p.signed(),
    "another encoding": lambda p: f'<?xml version="1.0" encoding="{mark("encoding")}"?>' + p.signed(),
    "document type": lambda p: "<!DOCTYPE r>" + p.signed(),
    "entity of a file": lambda p: doctype(p, '[<!ENTITY e SYSTEM "file:///etc/hostname">]'),
    "entity of a URL": lambda p: doctype(p, f'[<!ENTITY e SYSTEM "{canary(p)}">]'),
    "parameter entity of a URL": lambda p: doctype(p, f'[<!ENTITY % x SYSTEM "{canary(p)}"> %x;]'),
    "external subset": lambda p: doctype(p, f'SYSTEM "{canary(p)}"'),
    "entities of entities": lambda p: doctype(p, '[<!ENTITY a "' + mark("declared") + '"><!ENTITY e "&a;&a;&a;">]'),
    "entity that is not declared": lambda p: p.after((SUBJECT, f"&{mark('entity')};")),
    "prefix that is not declared": lambda p: p.after((STATUS, f"<{mark('prefix')}:a/>{STATUS}")),
    "element that another one ends": lambda p: p.after(("</samlp:Response>", f"</samlp:{mark('element')}>")),
    "attribute twice": lambda p: p.after((STATUS, f'<a {mark("double")}="" {mark("double")}=""/>{STATUS}')),
    "processing instruction": lambda p: f'<?xml-stylesheet href="{canary(p)}"?>' + p.signed(),
    "comment in an empty value": lambda p: edited(
        p.signed(more=attribute(PRIMARY_AFFILIATION, "")), ("<saml:AttributeValue/>", NOTHING_IN_IT)
    ),
    "comment in the subject": lambda p: p.after((SUBJECT, f"{SUBJECT[:9]}<!-- {mark('comment')} -->{SUBJECT[9:]}")),
    "not well-formed": lambda p: p.signed()[:-20],
    "two documents": lambda p: p.signed() * 2,
    "too deep": lambda p: p.after((STATUS, f"<samlp:Extensions>{'<a>' * 900}{'</a>' * 900}</samlp:Extensions>{STATUS}")),
    "many attributes": lambda p: p.after((STATUS, "<a" + "".join(f" a{n}=''" for n in range(999)) + "/>" + STATUS)),
    "relative namespace": lambda p: p.after((STATUS, f'<a xmlns="a"/>{STATUS}')),
    "one id twice": same_id,
    "another message": lambda p: p.after(("samlp:Response", f"samlp:{mark('message')}")),
    "SAML 1": lambda p: p.after(("SAML:2.0:protocol", "SAML:1.0:protocol")),
    "no status": lambda p: p.after(("samlp:StatusCode", "samlp:Other")),
    "failed there": lambda p: p.after(("status:Success", "status:Responder"), ("</samlp:Status>", WHY_IT_FAILED)),
    "no assertion": lambda p: p.idp.response(""),
    "assertion alone": lambda p: p.idp.sign(p.plain()),
    "assertion in an extension": lambda p: p.idp.response(f"<samlp:Extensions>{p.idp.sign(p.plain())}</samlp:Extensions>"),
    "no Conditions": lambda p: p.before(("saml:Conditions", "saml:Advice")),
    "condition that nobody knows": lambda p: p.before(("<saml:AudienceR", f"<saml:{mark('condition')}/><saml:AudienceR")),
    "no AuthnStatement": lambda p: p.before(("saml:AuthnStatement", "saml:Statement")),
    "NameID without a Format": lambda p: p.before((f' Format="{PERSISTENT}"', "")),
    "NameID twice": lambda p: p.before(("<saml:NameID", f'<saml:NameID Format="{PERSISTENT}">a</saml:NameID><saml:NameID')),
    "no confirmation": lambda p: p.before(("saml:SubjectConfirmation", "saml:Other")),
    "two confirmations": lambda p: p.before((CONFIRMATION, CONFIRMATION + "</saml:SubjectConfirmation>" + CONFIRMATION)),
    "holder of key": lambda p: p.before(("cm:bearer", "cm:holder-of-key")),
    "confirmation without an end": lambda p: p.before((f"{DATA}NotOnOrAfter", f"{DATA}Other")),
    "confirmation without a recipient": lambda p: p.before((f'Recipient="{ACS}"', "")),
    "NotBefore that is no time": lambda p: p.before(('Conditions NotBefore="2', 'Conditions NotBefore="x2')),
    "time with another zone": lambda p: p.before(('Z"><saml:Issuer', '+00:00"><saml:Issuer')),
    "attribute without a name": lambda p: p.before((f'Name="{AWS}Role"', "")),
    "encrypted attribute": lambda p: p.before(("<saml:Attribute ", "<saml:EncryptedAttribute/><saml:Attribute ")),
    "element in a value": lambda p: p.before((f">{SESSION}<", f"><a>{SESSION}</a>x<")),
    **{f"wrapping {shape}": (lambda p, shape=shape: wrapped(p, shape)) for shape in range(1, 9)},
}

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256, SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"
HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ONE_MORE = f'<ds:Transform Algorithm="{INCLUSIVE}"/></ds:Transforms>'
NO_VALUE = "<ds:SignatureValue/><ds:KeyInfo>"
ANOTHER_NAME = attribute("SourceIdentity", mark("identity"))
SIGNATURES = {
    "somebody else's key": lambda p: p.idp.response(p.thief.sign(p.plain())),
    "somebody else's key and certificate": forged,
    "subject changed": lambda p: p.after((SUBJECT, f"admin-{mark('changed')}")),
    "role changed": lambda p: p.after((p.role.arn, p.role.arn.replace("saml-", "admin-"))),
    "time changed": lambda p: p.after(('Z"><saml:Issuer', '.5Z"><saml:Issuer')),
    "attribute added": lambda p: p.after(("</saml:AttributeS", ANOTHER_NAME + "</saml:AttributeS")),
    "id changed": lambda p: p.after((' ID="_a', ' ID="_b')),
    "SHA-1": lambda p: p.template((RSA_SHA256, "http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
    "digest with SHA-1": lambda p: p.template((SHA256, "http://www.w3.org/2000/09/xmldsig#sha1")),
    "MAC with the certificate": lambda p: p.resigned((RSA_SHA256, HMAC_SHA256), by=mac),
    "MAC as if it were RSA": lambda p: p.resigned(by=mac),
    "no algorithm": lambda p: p.resigned((RSA_SHA256, "")),
    "algorithm that nobody knows": lambda p: p.resigned((RSA_SHA256, f"urn:{mark('algorithm')}")),
    "PSS": lambda p: p.resigned((RSA_SHA256, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), by=pss),
    "PSS as if it were PKCS #1": lambda p: p.resigned(by=pss),
    "inclusive canonicalization": lambda p: p.template((EXCLUSIVE, INCLUSIVE)),
    "canonicalization with comments": lambda p: p.template((EXCLUSIVE, EXCLUSIVE + "WithComments")),
    "a transform more": lambda p: p.template(("</ds:Transforms>", ONE_MORE)),
    "a transform less": lambda p: p.template((f'<ds:Transform Algorithm="{EXCLUSIVE}"/></ds', "</ds")),
    "reference to the whole document": lambda p: p.resigned(reference=""),
    "reference to nothing": lambda p: p.resigned(reference=f"#{mark('reference')}"),
    "reference without a mark": lambda p: p.resigned(('Reference URI="#', 'Reference URI="')),
    "reference to a URL": lambda p: p.resigned(('Reference URI="#', f'Reference URI="{canary(p)}#')),
    "no signature value": lambda p: p.after(("ds:SignatureValue>", "ds:KeyInfo>"), ("<ds:KeyInfo>", NO_VALUE)),
    "an Object in it": lambda p: with_object(p.signed(), ""),
    "signature of the response moved": moved,
    "signature out of its place": lambda p: p.after((STATUS, f"<a>{signature(p.idp.sign(p.plain()))[0]}</a>{STATUS}")),
    "response changed that was signed": lambda p: p.twice("Destination=", "Other="),
    "encrypted for somebody else": encrypted,
}
NAME_RULE = "[a-zA-Z_0-9+=,.@-]{2,64}"
SESSION_NAME = attribute("RoleSessionName", SESSION)
OVER = f'NotOnOrAfter="{instant(minutes=-1)}"'
# By message; the code is InvalidIdentityToken where CODES has no other.
SAYS = {
    NOT_SIGNED: {
        "nothing is signed": lambda p: p.idp.response(p.plain()),
        "the response alone is signed": lambda p: p.idp.sign(p.idp.response(p.plain())),
    },
    "Issuer not present in specified provider": {
        "another issuer": lambda p: p.before((p.idp.entity, f"urn:{mark('issuer')}")),
        "no issuer": lambda p: p.idp.response(p.plain().replace("Issuer", "Other")),
    },
    DENIED: {
        "no NameID": lambda p: p.before(("saml:NameID", "saml:BaseID")),
        "no Subject": lambda p: p.before(("saml:Subject>", "saml:Other>")),
    },
    "Response does not contain the required recipient.": {
        "another recipient": lambda p: p.before((f'Recipient="{ACS}', f'Recipient="{ACS}/{mark("recipient")}')),
    },
    "Response does not contain the required audience.": {
        "another audience": lambda p: p.before((f">{AUDIENCE}<", f">urn:{mark('audience')}<")),
        "audience with a slash": lambda p: p.before((f">{AUDIENCE}<", f">{AUDIENCE}/<")),
    },
    "Response has expired": {
        "confirmation is over": lambda p: p.before((f"{DATA}Not", f"{DATA}{OVER} Other")),
        "conditions are over": lambda p: p.before(('Z" NotOnOrAfter', f'Z" {OVER} Other')),
        "session there is over": lambda p: p.before(("SessionIndex", f"Session{OVER} SessionIndex")),
    },
    "Token must be redeemed within 5 minutes of issuance": {
        "six minutes old": lambda p: p.before(("IssueInstant", f'IssueInstant="{instant(minutes=-6)}" Other')),
    },
    "Response is not yet valid": {
        "from tomorrow": lambda p: p.before(("NotBefore", f'NotBefore="{instant(days=1)}" Other')),
    },
    NOT_LISTED: {
        "another role": lambda p: p.before((p.role.arn, p.role.arn + mark("role"))),
        "another provider": lambda p: p.before((p.role.provider, p.role.provider + mark("provider"))),
        "attribute in other case": lambda p: p.before((f'{AWS}Role"', f'{AWS}role"')),
    },
    "RoleSessionName is required in AuthnResponse": {
        "no session name": lambda p: p.before((SESSION_NAME, "")),
    },
    f"RoleSessionName in AuthnResponse must match {NAME_RULE}": {
        "session name with a space": lambda p: p.before((">alice@", f">{mark('badsession')} @")),
        "two session names": lambda p: p.signed(more=SESSION_NAME),
    },
    "SessionDuration in AuthnResponse must be an integer between 900 and 43200": {
        "duration that is none": lambda p: p.signed(more=attribute("SessionDuration", mark("duration"))),
        "duration without a value": lambda p: p.signed(more=attribute("SessionDuration")),
    },
    f'Source Identity must match {NAME_RULE} and not begin with "aws:"': {
        "source identity of AWS's": lambda p: p.signed(more=attribute("SourceIdentity", f"aws:{mark('identity')}")),
    },
    "saml:eduPersonPrimaryAffiliation in AuthnResponse must have at most one value": {
        "two values for a condition key of one": lambda p: p.signed(more=attribute(PRIMARY_AFFILIATION, mark("one"), "staff")),
    },
    "PrincipalTag in AuthnResponse must have exactly one value": {
        "tag with two values": lambda p: p.signed(more=attribute(f"PrincipalTag:{mark('tagkey')}", mark("tag"), "b")),
    },
}
INVALID, OLD = "InvalidIdentityToken", "ExpiredTokenException"
CODES = {DENIED: "AccessDenied", "Response has expired": OLD, "Token must be redeemed within 5 minutes of issuance": OLD}


def refusals():
    for message, rows in {FORM: FORMS, SIGNATURE: SIGNATURES, **SAYS}.items():
        for known, make in rows.items():
            yield pytest.param(CODES.get(message, INVALID), message, make, id=known)


@pytest.mark.parametrize("code,message,make", refusals())
def test_response_is_refused(place, code, message, make):
    made = make(place)
    with refused(code, message, 403 if code == "AccessDenied" else 400):
        place.assume(made.decode() if isinstance(made, bytes) else form(made))


def test_provider_that_does_not_exist_and_sizes_that_no_response_has(place):
    response = form(place.signed())
    for arn in (place.role.provider + "x", place.role.arn, place.role.provider.replace(place.home.id, "111122223333")):
        with refused(INVALID, "Specified provider doesn't exist"):
            place.assume(response, provider=arn)
    for length in (3, 100_001):
        with refused("ValidationError"):
            place.assume("A" * length)
    with refused(INVALID, FORM):
        place.assume("A" * 100_000)
    with refused(INVALID, NOT_LISTED):
        place.assume(response, arn=place.role.arn + "x")


def test_trust_policy_has_the_last_word_and_the_right_response_is_taken(place):
    # Verified, so that the audit may tell of whom; of the rest it does not.
    regional = place.before((ACS, "https://eu-central-1.signin.aws.amazon.com/saml"), subject="bob")
    with refused("AccessDenied", DENIED, 403):
        place.assume(form(regional))
    answer = place.assume(form(place.signed(subject="alice")))
    assert place.house.sts(Keys.of(answer["Credentials"])).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_response_in_an_address_or_a_signed_call_is_refused_alike(place):
    for method in ("GET", "POST"):
        response = form(place.after((SUBJECT, SUBJECT + mark("more"))))
        place.sent.append(response)
        call = {"RoleArn": place.role.arn, "PrincipalArn": place.role.provider, "SAMLAssertion": response}
        request = Request.action(place.server.host, "AssumeRoleWithSAML", method=method, **call)
        for answer in (request.send(), request.sign(place.home.keys).send()):
            assert (answer.status, answer.code, answer.message) == (400, INVALID, SIGNATURE), answer


def test_nothing_was_fetched_and_nothing_of_a_response_is_in_log_audit_or_metrics(place):
    """Comes last. Who was verified may be told, as the audit does of alice; of what was refused nothing is."""
    assert place.visited.asked == []
    told = {path: place.server.admin(path)[1].encode() for path in ("/metrics", "/readyz")}
    # It still runs, and at its end it has written all.
    assert place.server.process.poll() is None and place.server.stop() == 0
    pieces = {SUBJECT: "a subject"}
    for response in place.sent:
        pieces.update({response[at : at + 60]: "a part of a response" for at in range(0, len(response) - 60, 1500)})
    search = Search({piece: kind for piece, kind in pieces.items() if len(set(piece)) > 1})
    assert search.in_bytes(f"subject={SUBJECT}".encode()) and search.in_bytes(place.sent[0].encode())
    files = [pathlib.Path(path) for path in (place.server.log, place.server.printed, *place.server.audits())]
    assert all(path.stat().st_size for path in files) and len(place.sent) > 60
    assert [(str(path), kind) for path in files if (kind := search.in_file(path))] == []
    told.update({str(path): path.read_bytes() for path in files})
    # There is something to be read, as far as it is ours.
    assert all(place.provider.arn.encode() in told[str(path)] for path in (place.server.log, place.server.printed))
    assert {where: marks for where, text in told.items() if (marks := marks_in(text))} == {}
    # All that was looked for was sent.
    sent = marks_in(*(readable(response) for response in place.sent))
    assert set(sent) >= {"sub", "session", "attribute", "value", "mail", "assertionid", "responseid", "index", "qualifier"}
    assert set(sent) >= {"evil", "issuer", "audience", "recipient", "role", "tag", "identity", "status", "element", "url"}
