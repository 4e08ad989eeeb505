"""AssumeRoleWithSAML by npm's `samlify`, an implementation that shares nothing with the others: its metadata, its signatures
(xml-crypto) and its encryption (xml-encryption).

AWS sources: AssumeRoleWithSAML in the AWS STS API Reference; CreateSAMLProvider in the AWS IAM API Reference.
"""

import base64
import json

import pytest

from support.certified import Certified
from support.client import refused
from support.oidc_provider import node
from support.saml import ACS, AUDIENCE, AWS
from support.server import Keys
from support.vouched import SamlProvider, assume

ENTITY = "https://samlify.example.test/idp"
NOT_SIGNED = "Response (with optional signature) must contain an assertion with a mandatory signature"
RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-{}"
CBC, GCM = "http://www.w3.org/2001/04/xmlenc#aes{}-cbc", "http://www.w3.org/2009/xmlenc11#aes{}-gcm"


class Samlify:
    """A provider with a key of its own; `reader` is whom it encrypts for, if it does."""

    def __init__(self, folder):
        self.pair, self.reader = Certified(folder, "samlify"), Certified(folder, "reader")

    def answer(self, role, encrypted=False, idp=None, sp=None, **attributes):
        """Its metadata, and a response for this role."""
        named = {"Role": str(role), "RoleSessionName": "alice", **attributes}
        asked = {
            "entity": ENTITY,
            "acs": ACS,
            "audience": AUDIENCE,
            "subject": "alice & <bob>",
            "key": self.pair.private,
            "certificate": self.pair.certificate.read_text(encoding="ascii"),
            "reader": self.reader.certificate.read_text(encoding="ascii") if encrypted else None,
            "attributes": {f"{AWS}{known}": value for known, value in named.items()},
            "settings": {"idp": idp or {}, "sp": sp or {}},
        }
        process = node("samlify.js")
        told, said = process.communicate(json.dumps(asked), timeout=60)
        assert process.returncode == 0 and told, said
        return json.loads(told)

    def response(self, role, **more):
        return self.answer(role, **more)["response"]


@pytest.fixture(scope="module")
def samlify(environment, tmp_path_factory):
    return Samlify(tmp_path_factory.mktemp("samlify"))


@pytest.fixture(scope="module")
def provider(home, samlify):
    metadata = samlify.answer("nobody")["metadata"]
    assert ENTITY in metadata
    return SamlProvider(home, metadata, AddPrivateKey=samlify.reader.private)


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("both", [False, True])
def test_response_becomes_a_session(samlify, provider, house, digest, both):
    role = provider.role({"StringEquals": {"aws:RequestTag/Team": "blue"}})
    settings = {"idp": {"requestSignatureAlgorithm": RSA.format(digest)}, "sp": {"wantMessageSigned": both}}
    response = samlify.response(role, **settings, **{"PrincipalTag:Team": "blue"})
    document = base64.b64decode(response)
    assert document.count(b"<ds:SignatureValue") == 1 + both and RSA.format(digest).encode() in document
    answer = assume(house.nobody(), role, response)
    assert (answer["Subject"], answer["SubjectType"], answer["Issuer"]) == ("alice & <bob>", "persistent", ENTITY)
    assert house.sts(Keys.of(answer["Credentials"])).get_caller_identity()["Arn"].endswith(f"/{role.name}/alice")


@pytest.mark.parametrize("cipher", [CBC.format(128), CBC.format(256), GCM.format(128), GCM.format(256)])
def test_encrypted_assertion(samlify, provider, house, cipher):
    role = provider.role()
    response = samlify.response(role, encrypted=True, idp={"dataEncryptionAlgorithm": cipher})
    assert b"alice" not in base64.b64decode(response) and cipher.encode() in base64.b64decode(response)
    assert assume(house.nobody(), role, response)["Subject"] == "alice & <bob>"


@pytest.mark.parametrize(
    "settings",
    [
        {"dataEncryptionAlgorithm": "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"},
        {"keyEncryptionAlgorithm": "http://www.w3.org/2001/04/xmlenc#rsa-1_5"},
    ],
)
def test_encryption_that_is_too_old_is_refused(samlify, provider, house, settings):
    role = provider.role()
    response = samlify.response(role, encrypted=True, idp=settings)
    assert all(algorithm.encode() in base64.b64decode(response) for algorithm in settings.values())
    with refused("InvalidIdentityToken", "Response signature invalid"):
        assume(house.nobody(), role, response)


def test_signature_with_sha_1_or_of_the_response_alone_is_refused(samlify, provider, house):
    role = provider.role()
    sha1 = {"requestSignatureAlgorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}
    with refused("InvalidIdentityToken", "Response signature invalid"):
        assume(house.nobody(), role, samlify.response(role, idp=sha1))
    with refused("InvalidIdentityToken", NOT_SIGNED):
        assume(house.nobody(), role, samlify.response(role, sp={"wantAssertionsSigned": False}))
