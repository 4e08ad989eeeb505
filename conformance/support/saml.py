"""An identity provider by hand: SAML responses as text, signed and encrypted by xmlsec1, which shares nothing with the
server's own verifier. So a response can be wrong in any way, and signed all the same.

Sources: SAML 2.0 Core and Profiles; "Configure SAML assertions for the authentication response" in the IAM User Guide.
"""

import base64
import datetime
import os
import secrets
import subprocess
import xml.sax.saxutils

from .certified import Certified

ACS = "https://signin.aws.amazon.com/saml"
AUDIENCE = "urn:amazon:webservices"
AWS = "https://aws.amazon.com/SAML/Attributes/"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
SAML, SAMLP = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = """<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" \
entityID="{entity}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}\
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.test/sso"/>\
</md:IDPSSODescriptor></md:EntityDescriptor>"""
KEY = """<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
</ds:KeyInfo></md:KeyDescriptor>"""
SIGNATURE = """<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod \
Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod \
Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform \
Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform \
Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms><ds:DigestMethod \
Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
</ds:Signature>"""
ENCRYPTED = """<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" \
Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="{cipher}"/>\
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{transport}"/>\
<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"""
AES_256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"


def edited(text, *changes):
    """The text with each (old, new) of the changes made; what is to be changed must be there."""
    for old, new in changes:
        assert old in text, f"{old} is not in {text}"
        text = text.replace(old, new)
    return text


def instant(**offset):
    """Now, or `minutes=-6` away from it, as SAML writes times."""
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**offset)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def form(xml):
    """The form field SAMLResponse."""
    return base64.b64encode(xml if isinstance(xml, bytes) else xml.encode()).decode()


def attribute(name, *values):
    """An Attribute; a name without a colon is one of AWS's."""
    name = name if "://" in name or name.startswith("urn:") else AWS + name
    escaped = [f"<saml:AttributeValue>{xml.sax.saxutils.escape(value)}</saml:AttributeValue>" for value in values]
    return f'<saml:Attribute Name="{xml.sax.saxutils.escape(name)}">{"".join(escaped)}</saml:Attribute>'


def xmlsec1(text, *arguments):
    """What xmlsec1 makes of the document at its standard input, without the declaration that it writes before it."""
    command = ["xmlsec1", *map(os.fspath, arguments)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode()}"
    return done.stdout.decode().partition("?>\n")[2].rstrip("\n")


class HandMade:
    """A provider with a name of its own and one key."""

    def __init__(self, folder, entity="https://idp.example.test/saml"):
        self.folder, self.entity, self.pair = folder, entity, Certified(folder, f"idp-{secrets.token_hex(4)}")

    def metadata(self, *others):
        """AWS takes none shorter than 1,000 characters; this has the keys of `others` too."""
        keys = "".join(KEY.format(pair.base64) for pair in (self.pair, *others))
        return METADATA.format(entity=self.entity, keys=keys)

    def assertion(self, *roles, subject="alice", session="alice@example.test", more=""):
        """What an assertion must say, and `more` attributes; not signed."""
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="_a{secrets.token_hex(8)}" Version="2.0" IssueInstant="{instant()}">'
            f"<saml:Issuer>{self.entity}</saml:Issuer><saml:Subject>"
            f'<saml:NameID Format="{PERSISTENT}">{subject}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
            f'NotOnOrAfter="{instant(minutes=5)}" Recipient="{ACS}"/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{instant()}" NotOnOrAfter="{instant(hours=1)}"><saml:AudienceRestriction>'
            f"<saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{instant()}" SessionIndex="_s"/><saml:AttributeStatement>'
            f"{attribute('Role', *map(str, roles))}{attribute('RoleSessionName', session)}{more}"
            f"</saml:AttributeStatement></saml:Assertion>"
        )

    def response(self, inside):
        """The envelope, not signed."""
        return (
            f'<samlp:Response xmlns:samlp="{SAMLP}" ID="_r{secrets.token_hex(8)}" Version="2.0" '
            f'IssueInstant="{instant()}" Destination="{ACS}"><saml:Issuer xmlns:saml="{SAML}">{self.entity}</saml:Issuer>'
            f'<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f"{inside}</samlp:Response>"
        )

    def sign(self, element, *changes):
        """An Assertion or Response with a signature behind its first Issuer. `changes` are made to the template."""
        identifier = element.partition(' ID="')[2].partition('"')[0]
        template = edited(SIGNATURE.format(id=identifier), *changes)
        before, issuer, after = element.partition("</saml:Issuer>")
        place = f"//*[@ID='{identifier}']/*[local-name()='Signature']"
        ids = ["--id-attr:ID", f"{SAML}:Assertion", "--id-attr:ID", f"{SAMLP}:Response"]
        arguments = ["--sign", "--privkey-pem", self.pair.key, *ids, "--node-xpath", place, "/dev/stdin"]
        return xmlsec1(before + issuer + template + after, *arguments)

    def signed(self, *roles, **more):
        """A whole response whose assertion is signed."""
        return self.response(self.sign(self.assertion(*roles, **more)))

    def encrypt(self, assertion, certificate, cipher=AES_256_CBC, session_key="aes-256", transport=OAEP):
        """The EncryptedAssertion that the holder of the certificate's key opens."""
        template = self.folder / f"encrypted-{secrets.token_hex(4)}.xml"
        template.write_text(ENCRYPTED.format(cipher=cipher, transport=transport), encoding="ascii")
        wrapped = f'<saml:EncryptedAssertion xmlns:saml="{SAML}">{assertion}</saml:EncryptedAssertion>'
        arguments = ["--encrypt", "--pubkey-cert-pem", certificate, "--session-key", session_key]
        return xmlsec1(wrapped, *arguments, "--xml-data", "/dev/stdin", "--node-xpath", "/*/*", template)
