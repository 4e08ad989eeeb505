"""Encrypted SAML assertions, made with xmlsec1 or OpenSSL: what a provider with a private key reads, and the one answer to
everything else, so that nobody learns from answers what was in it.

AWS sources: CreateSAMLProvider (AddPrivateKey, AssertionEncryptionMode) in the AWS IAM API Reference; "Manage SAML encryption
keys" in the IAM User Guide. Further: XML Encryption 1.1.
"""

import base64
import secrets

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from support.certified import Certified
from support.client import refused
from support.saml import ACS, ENCRYPTED, OAEP, SAML, HandMade, edited, form
from support.vouched import SamlProvider, assume

CBC, GCM = "http://www.w3.org/2001/04/xmlenc#aes{}-cbc", "http://www.w3.org/2009/xmlenc11#aes{}-gcm"
TRIPLE_DES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"
RSA_1_5 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
DIGEST = '<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="{}"/>'
MGF = '<m:MGF xmlns:m="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1{}"/>'
OAEP_11 = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
OLD, NEW, NEWEST = (
    DIGEST.format(f"http://www.w3.org/{name}")
    for name in ("2000/09/xmldsig#sha1", "2001/04/xmlenc#sha256", "2001/04/xmlenc#sha512")
)
MALFORMED, INVALID = "Invalid base64 SAMLResponse", "Response signature invalid"
ISSUER = "Issuer not present in specified provider"
RECIPIENT = "Response does not contain the required recipient."


class Place:
    """A provider that has one private key, and a role."""

    def __init__(self, home, folder):
        self.idp, self.thief = HandMade(folder), HandMade(folder)
        self.reader, self.stranger = Certified(folder, "reader"), Certified(folder, "stranger")
        self.provider = SamlProvider(home, self.idp.metadata(), AddPrivateKey=self.reader.private)
        self.role = self.provider.role()
        self.sts = home.house.nobody()

    def plain(self):
        return self.idp.assertion(self.role)

    def signed(self):
        return self.idp.sign(self.plain())

    def encrypted(self, assertion=None, certificate=None, **how):
        return self.idp.encrypt(assertion or self.signed(), certificate or self.reader.certificate, **how)

    def response(self, *elements, **how):
        return self.idp.response("".join(elements) or self.encrypted(**how))

    def assume(self, response):
        return assume(self.sts, self.role, form(response))


@pytest.fixture(scope="module")
def place(home, tmp_path_factory):
    return Place(home, tmp_path_factory.mktemp("encrypted"))


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("cipher", [CBC, GCM])
def test_what_is_encrypted_by_the_rules_is_read(place, cipher, bits):
    how = {"cipher": cipher.format(bits), "session_key": f"aes-{bits}"}
    assert place.assume(place.response(**how))["Subject"] == "alice"


def sealed(place, transport, more, digest, mask, label=None):
    """By OpenSSL, as xmlsec1 knows one form of OAEP."""
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    reader = x509.load_pem_x509_certificate(place.reader.certificate.read_bytes()).public_key()
    wrapped = reader.encrypt(key, padding.OAEP(padding.MGF1(mask()), digest(), label))
    content = nonce + AESGCM(key).encrypt(nonce, place.signed().encode(), None)
    text = ENCRYPTED.format(cipher=GCM.format(256), transport=transport).replace(f'"{transport}"/>', f'"{transport}">{more}</x>')
    values = (f"<xenc:CipherValue>{base64.b64encode(value).decode()}</xenc:CipherValue>" for value in (wrapped, content))
    for value in values:
        text = text.replace("<xenc:CipherValue/>", value, 1)
    wrapper = f'<saml:EncryptedAssertion xmlns:saml="{SAML}">{text}</saml:EncryptedAssertion>'
    return place.response(wrapper.replace("</x>", "</xenc:EncryptionMethod>"))


PARAMS = "<xenc:OAEPparams>bGFiZWw=</xenc:OAEPparams>"


@pytest.mark.parametrize(
    "transport,more,digest,mask,read",
    [
        (OAEP, "", hashes.SHA1, hashes.SHA1, True),
        (OAEP, OLD, hashes.SHA1, hashes.SHA1, True),
        (OAEP, NEW, hashes.SHA256, hashes.SHA1, True),
        (OAEP_11, NEW, hashes.SHA256, hashes.SHA1, True),
        (OAEP_11, NEW + MGF.format("sha1"), hashes.SHA256, hashes.SHA1, True),
        (OAEP_11, NEW + MGF.format("sha256"), hashes.SHA256, hashes.SHA256, True),
        (OAEP, NEWEST, hashes.SHA512, hashes.SHA1, False),
        (OAEP_11, NEWEST + MGF.format("sha512"), hashes.SHA512, hashes.SHA512, False),
        (OAEP_11, NEW + MGF.format("sha256"), hashes.SHA256, hashes.SHA1, False),
        (OAEP, PARAMS, hashes.SHA1, hashes.SHA1, False),
    ],
)
def test_key_comes_in_the_forms_of_oaep_that_are_known(place, transport, more, digest, mask, read):
    response = sealed(place, transport, more, digest, mask, b"label" if more == PARAMS else None)
    if read:
        assert place.assume(response)["Subject"] == "alice"
    else:
        with refused("InvalidIdentityToken", INVALID):
            place.assume(response)


def test_response_around_it_may_be_signed_and_its_key_beside_it(place):
    assert place.assume(place.idp.sign(place.response()))["Subject"] == "alice"
    encrypted = place.encrypted()
    before, start, rest = encrypted.partition("<xenc:EncryptedKey>")
    inside, end, after = rest.partition("</xenc:EncryptedKey>")
    key = f"{start}{inside}{end}".replace(start, '<xenc:EncryptedKey xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">')
    after = edited(after, ("</saml:EncryptedAssertion>", f"{key}</saml:EncryptedAssertion>"))
    assert place.assume(place.response(before + after))["Subject"] == "alice"


def altered(encrypted, which, change):
    """With another value of the key's cipher (0) or the content's (1)."""
    parts = encrypted.split("<xenc:CipherValue>")
    value, end, rest = parts[which + 1].partition("</xenc:CipherValue>")
    parts[which + 1] = base64.b64encode(change(bytearray(base64.b64decode(value)))).decode() + end + rest
    return "<xenc:CipherValue>".join(parts)


def flipped(at):
    def change(data):
        data[at] ^= 1
        return data

    return change


def changed(place, which, change, **how):
    return place.response(altered(place.encrypted(**how), which, change))


IN_GCM = {"cipher": GCM.format(256)}
UNREADABLE = {
    "for somebody else": lambda p: p.response(certificate=p.stranger.certificate),
    "triple DES": lambda p: p.response(cipher=TRIPLE_DES, session_key="des-192"),
    "AES-192": lambda p: p.response(cipher=CBC.format(192), session_key="aes-192"),
    "RSA PKCS #1 v1.5": lambda p: p.response(transport=RSA_1_5),
    "key changed": lambda p: changed(p, 0, flipped(7)),
    "key cut off": lambda p: changed(p, 0, lambda data: data[:-1]),
    "no key": lambda p: changed(p, 0, lambda data: b""),
    "first block changed": lambda p: changed(p, 1, flipped(0)),
    "middle changed": lambda p: changed(p, 1, flipped(700)),
    "padding changed": lambda p: changed(p, 1, flipped(-17)),
    "last block changed": lambda p: changed(p, 1, flipped(-1)),
    "last block cut off": lambda p: changed(p, 1, lambda data: data[:-16]),
    "half a block cut off": lambda p: changed(p, 1, lambda data: data[:-8]),
    "no content": lambda p: changed(p, 1, lambda data: data[:16]),
    "GCM, changed": lambda p: changed(p, 1, flipped(30), **IN_GCM),
    "GCM, tag changed": lambda p: changed(p, 1, flipped(-1), **IN_GCM),
    "GCM, tag cut off": lambda p: changed(p, 1, lambda data: data[:-16], **IN_GCM),
    "GCM as if it were CBC": lambda p: p.response(edited(p.encrypted(**IN_GCM), (GCM.format(256), CBC.format(256)))),
    "other length of key": lambda p: p.response(edited(p.encrypted(), (CBC.format(256), CBC.format(128)))),
    "not signed inside": lambda p: p.response(p.encrypted(p.plain())),
    "signed by somebody else inside": lambda p: p.response(p.encrypted(p.thief.sign(p.plain()))),
    "changed before it was encrypted": lambda p: p.response(p.encrypted(p.signed().replace("alice", "admin"))),
    "not signed inside a signed response": lambda p: p.idp.sign(p.response(p.encrypted(p.plain()))),
    "a whole response inside": lambda p: p.response(p.encrypted(p.idp.response(p.signed()))),
    "something else inside": lambda p: p.response(p.encrypted('<a xmlns="urn:a"/>')),
    "in two layers": lambda p: p.response(p.encrypted(p.encrypted())),
}
MISPLACED = {
    "beside a plain one": lambda p: p.response(p.encrypted(), p.plain()),
    "beside a signed one": lambda p: p.response(p.signed(), p.encrypted()),
    "twice": lambda p: p.response(p.encrypted(), p.encrypted()),
    "plain in the wrapper": lambda p: p.response(f'<saml:Advice xmlns:saml="urn:x">{p.encrypted()}</saml:Advice>'),
}


def refusals():
    for message, rows in {INVALID: UNREADABLE, MALFORMED: MISPLACED}.items():
        for known, make in rows.items():
            yield pytest.param(message, make, id=known)


@pytest.mark.parametrize("message,make", list(refusals()))
def test_everything_else_is_refused_with_one_answer(place, message, make):
    with refused("InvalidIdentityToken", message, 400):
        place.assume(make(place))


def test_assertion_inside_is_held_to_the_same_rules(place):
    def inside(*changes):
        return place.response(place.encrypted(place.idp.sign(edited(place.plain(), *changes))))

    assert place.assume(inside())["Subject"] == "alice"
    for change, code, message in [
        ((place.idp.entity, "urn:x"), "InvalidIdentityToken", ISSUER),
        ((f'Recipient="{ACS}', f'Recipient="{ACS}/x'), "InvalidIdentityToken", RECIPIENT),
        (("saml:AuthnStatement", "saml:Statement"), "InvalidIdentityToken", MALFORMED),
        (("saml:NameID", "saml:BaseID"), "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML"),
    ]:
        with refused(code, message):
            place.assume(inside(change))


def test_private_key_is_no_secret_that_is_ever_shown_again(place):
    shown = place.provider.shown
    assert set(shown["PrivateKeyList"][0]) == {"KeyId", "Timestamp"} and len(shown["PrivateKeyList"]) == 1
    assert shown["AssertionEncryptionMode"] == "Allowed"
    for text in ("no key", place.reader.certificate.read_text(encoding="ascii"), place.reader.private[:400]):
        with refused(("InvalidInput", "ValidationError")):
            place.provider.update(AddPrivateKey=text)
    with refused("NoSuchEntity"):
        place.provider.update(RemovePrivateKey="SAMLPRIVATEKEYTHATISNOTTHERE")
    assert place.provider.shown["PrivateKeyList"] == shown["PrivateKeyList"]
