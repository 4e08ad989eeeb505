"""pysaml2 as an identity provider, set up as somebody would who runs one for AWS: it makes its own metadata, reads that of
the service it signs for, and signs and encrypts with xmlsec1.
"""

import shutil

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from saml2.config import IdPConfig, SPConfig
from saml2.metadata import entities_descriptor, entity_descriptor
from saml2.server import Server
from saml2.sigver import get_pem_wrapped_unwrapped, make_temp, pre_encryption_part
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from .certified import Certified
from .saml import ACS, AUDIENCE, AWS, PERSISTENT, form

ENTITY = "https://pysaml2.example.test/idp"
AES_256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


class Encrypting(Server):
    """With a cipher of our choice. pysaml2's is triple DES, which AWS's guide does not list and nobody should want."""

    cipher, session_key = AES_256_CBC, "aes-256"

    def _encrypt_assertion(self, encrypt_cert, sp_entity_id, response, node_xpath=None):
        [(_, certificate)] = self.metadata.certs(sp_entity_id, "any", "encryption")
        wrapped, unwrapped = get_pem_wrapped_unwrapped(certificate)
        file = make_temp(wrapped.encode("ascii"), decode=False)
        template = pre_encryption_part(msg_enc=self.cipher, encrypt_cert=unwrapped)
        return self.sec.encrypt_assertion(response, file.name, template, self.session_key, node_xpath=node_xpath)


class Pysaml2:
    """A provider with a signing key; `reader` (a Certified) is whom it encrypts for, if it does; `read` is the metadata of
    the service it signs for, if not AWS's."""

    def __init__(self, folder, reader=None, kind=Encrypting, read=None):
        self.folder, self.reader, self.kind, self.read = folder, reader, kind, read
        self.rotate()

    def rotate(self):
        """Another signing key, in use at once; what signs with the old one is the `server` of before."""
        pair = Certified(self.folder, f"pysaml2-{len(list(self.folder.iterdir()))}")
        self.service = self.folder / "service.xml"
        self.service.write_text(self.read or str(service(self.reader)), encoding="utf-8")
        sso = [(f"{ENTITY}/post", BINDING_HTTP_POST), (f"{ENTITY}/redirect", BINDING_HTTP_REDIRECT)]
        settings = {
            "entityid": ENTITY,
            "xmlsec_binary": shutil.which("xmlsec1"),
            "key_file": str(pair.key),
            "cert_file": str(pair.certificate),
            "metadata": {"local": [str(self.service)]},
            "service": {"idp": {"name": "corp", "endpoints": {"single_sign_on_service": sso}, "name_id_format": [PERSISTENT]}},
        }
        self.config = IdPConfig().load(settings)
        self.server = self.kind(config=self.config)

    def metadata(self):
        """Its own, as pysaml2 makes it."""
        return str(entity_descriptor(self.config))

    def address(self):
        """Where it sends responses, as it read that."""
        return self.server.pick_binding("assertion_consumer_service", [BINDING_HTTP_POST], entity_id=AUDIENCE)[1]

    def federation(self, valid_for=None):
        """The same among others', signed, as a federation publishes it; `valid_for` so many hours."""
        both = [entity_descriptor(self.config), service(self.reader)]
        return entities_descriptor(both, valid_for, "federation", "", True, self.server.sec)[1]

    def response(self, identity, subject="alice", acs=ACS, **more):
        """The form field SAMLResponse, with these attributes; the assertion is signed unless told otherwise."""
        asked = {
            "in_response_to": "",
            "destination": acs,
            "sp_entity_id": AUDIENCE,
            "name_id": saml.NameID(format=PERSISTENT, text=subject),
            "authn": {"class_ref": PASSWORD},
            "sign_assertion": True,
            "sign_response": False,
            "sign_alg": SIG_RSA_SHA256,
            "digest_alg": DIGEST_SHA256,
        }
        return form(str(self.server.create_authn_response(identity, **{**asked, **more})))


def service(reader):
    """What AWS's document of the service provider says, and who reads what is encrypted for it."""
    settings = {
        "entityid": AUDIENCE,
        "xmlsec_binary": shutil.which("xmlsec1"),
        "service": {"sp": {"endpoints": {"assertion_consumer_service": [(ACS, BINDING_HTTP_POST)]}}},
    }
    if reader:
        settings["encryption_keypairs"] = [{"key_file": str(reader.key), "cert_file": str(reader.certificate)}]
    return entity_descriptor(SPConfig().load(settings))


def roles(*listed, name="alice@example.test", **attributes):
    """The attributes that AWS wants; further ones of AWS's by keyword, or by a name of their own in a dictionary."""
    named = {f"{AWS}{known}": value for known, value in attributes.items()}
    return {f"{AWS}Role": list(map(str, listed)), f"{AWS}RoleSessionName": [name], **named}
