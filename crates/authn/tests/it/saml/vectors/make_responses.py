#!/usr/bin/env python3
"""Makes `responses/`: authentication responses as other implementations sign and encrypt them.

Built with pysaml2's classes or by hand; signed by signxml or by libxmlsec1 (through python-xmlsec); encrypted by
libxmlsec1. All are for 2026-01-15T12:00:00Z, `PrincipalArn` arn:aws:iam::111122223333:saml-provider/Corp and role
arn:aws:iam::111122223333:role/Reader. `<key>.metadata.xml` describes the identity provider whose key is named so in the
last part of a vector's name; `decryption-key.pem` opens the encrypted ones. Run it in this folder, with signxml, xmlsec
and pysaml2 installed, to make all of it again, with other keys.
"""
import base64
import datetime
import os
import re
import shutil

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from saml2 import saml, samlp
from signxml import XMLSigner, methods

ISSUER = "https://idp.example.com/saml"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
AWS = "https://aws.amazon.com/SAML/Attributes/"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ATTRIBUTES = {
    AWS + "Role": ["arn:aws:iam::111122223333:role/Reader,arn:aws:iam::111122223333:saml-provider/Corp"],
    AWS + "RoleSessionName": ["alice@example.com"],
    AWS + "PrincipalTag:Team": ["blue & <green>"],
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["staff", "member"],
}


def by_pysaml2():
    """As pysaml2 writes it: prefixes of its own (ns0, ns1), a type on every value."""
    assertion = saml.Assertion(
        id="_assertion", version="2.0", issue_instant="2026-01-15T11:59:30Z",
        issuer=saml.Issuer(text=ISSUER),
        subject=saml.Subject(
            name_id=saml.NameID(text="alice", format=saml.NAMEID_FORMAT_PERSISTENT),
            subject_confirmation=[saml.SubjectConfirmation(
                method=saml.SCM_BEARER,
                subject_confirmation_data=saml.SubjectConfirmationData(
                    not_on_or_after="2026-01-15T12:04:30Z", recipient="https://signin.aws.amazon.com/saml"))]),
        conditions=saml.Conditions(
            not_before="2026-01-15T11:59:30Z", not_on_or_after="2026-01-15T12:59:30Z",
            audience_restriction=[saml.AudienceRestriction(audience=[saml.Audience(text="urn:amazon:webservices")])]),
        authn_statement=[saml.AuthnStatement(
            authn_instant="2026-01-15T11:59:30Z", session_index="_s",
            authn_context=saml.AuthnContext(
                authn_context_class_ref=saml.AuthnContextClassRef(text="urn:oasis:names:tc:SAML:2.0:ac:classes:Password")))],
        attribute_statement=[saml.AttributeStatement(attribute=[
            saml.Attribute(name=name, attribute_value=[saml.AttributeValue(text=value) for value in values])
            for name, values in ATTRIBUTES.items()])])
    response = samlp.Response(
        id="_response", version="2.0", issue_instant="2026-01-15T11:59:30Z", issuer=saml.Issuer(text=ISSUER),
        status=samlp.Status(status_code=samlp.StatusCode(value=samlp.STATUS_SUCCESS)), assertion=[assertion])
    return etree.fromstring(response.to_string())


def by_hand(pretty):
    """Default namespaces, as Active Directory Federation Services writes them; or indented, with declarations where
    they are used, as Okta does."""
    attributes = "".join(
        f'<Attribute Name="{name}">' + "".join(
            f'<AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" '
            f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">'
            f'{value.replace("&", "&amp;").replace("<", "&lt;")}</AttributeValue>' for value in values) + "</Attribute>"
        for name, values in ATTRIBUTES.items())
    text = (
        f'<samlp:Response ID="_response" Version="2.0" IssueInstant="2026-01-15T11:59:30.123Z" '
        f'Destination="https://signin.aws.amazon.com/saml" xmlns:samlp="{SAMLP}">'
        f'<Issuer xmlns="{SAML}">{ISSUER}</Issuer><samlp:Status><samlp:StatusCode '
        f'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
        f'<Assertion ID="_assertion" IssueInstant="2026-01-15T11:59:30.123Z" Version="2.0" xmlns="{SAML}">'
        f"<Issuer>{ISSUER}</Issuer><Subject>"
        f'<NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</NameID>'
        f'<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData '
        f'NotOnOrAfter="2026-01-15T12:04:30.123Z" Recipient="https://signin.aws.amazon.com/saml"/></SubjectConfirmation>'
        f'</Subject><Conditions NotBefore="2026-01-15T11:59:30.120Z" NotOnOrAfter="2026-01-15T12:59:30.120Z">'
        f"<AudienceRestriction><Audience>urn:amazon:webservices</Audience></AudienceRestriction></Conditions>"
        f"<AttributeStatement>{attributes}</AttributeStatement>"
        f'<AuthnStatement AuthnInstant="2026-01-15T11:59:30.000Z" SessionIndex="_assertion"><AuthnContext>'
        f"<AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</AuthnContextClassRef>"
        f"</AuthnContext></AuthnStatement></Assertion></samlp:Response>")
    root = etree.fromstring(text)
    if pretty:
        etree.indent(root)
    return root


def signxml_sign(root, path, key, certificate, signature, digest):
    """The element at `path` with a signature behind its issuer."""
    element = root if path is None else root.find(path)
    element.find(f"{{{SAML}}}Issuer").addnext(
        etree.fromstring('<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>'))
    class Signer(XMLSigner):
        def check_deprecated_methods(self):
            pass
    signer = Signer(method=methods.enveloped, signature_algorithm=signature, digest_algorithm=digest,
                    c14n_algorithm=EXCLUSIVE)
    signed = signer.sign(element, key=key, cert=[certificate], reference_uri=element.get("ID"), id_attribute="ID")
    if path is None:
        return signed
    element.getparent().replace(element, signed)
    return root


def libxmlsec1_sign(root, path, key, signature, digest, prefixes=None):
    element = root if path is None else root.find(path)
    node = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, signature, ns="ds")
    reference = xmlsec.template.add_reference(node, digest, uri="#" + element.get("ID"))
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    transform = xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes)
    info = xmlsec.template.ensure_key_info(node)
    xmlsec.template.add_x509_data(info)
    element.find(f"{{{SAML}}}Issuer").addnext(node)
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = key
    context.sign(node)
    return root


def libxmlsec1_encrypt(root, certificate, cipher, transport, bits, transport_uri=None, digest=None, mask=None,
                       beside=False):
    # As text: lxml gives a node that is moved the prefixes of its new parent, and the signature would not hold.
    text = re.sub(r"(<((?:\w+:)?)Assertion .*</\2Assertion>)",
                  rf'<e:EncryptedAssertion xmlns:e="{SAML}">\1</e:EncryptedAssertion>', etree.tostring(root).decode(), flags=re.S)
    root = etree.fromstring(text)
    wrapper = root.find(f"{{{SAML}}}EncryptedAssertion")
    assertion = wrapper[0]
    template = xmlsec.template.encrypted_data_create(wrapper, cipher, type=xmlsec.EncryptionType.ELEMENT, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(template)
    info = xmlsec.template.encrypted_data_ensure_key_info(template, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, transport)
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    method = key.find("{*}EncryptionMethod")
    if transport_uri:
        method.set("Algorithm", transport_uri)
    if digest:
        etree.SubElement(method, "{http://www.w3.org/2000/09/xmldsig#}DigestMethod", Algorithm=digest)
    if mask:
        etree.SubElement(method, "{http://www.w3.org/2009/xmlenc11#}MGF", Algorithm=mask)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, bits, xmlsec.KeyDataType.SESSION)
    encrypted = context.encrypt_xml(template, assertion)
    if beside:
        encrypted.addnext(encrypted.find(".//{*}EncryptedKey"))
    return root


def certificate_of(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example.com")])
    start = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + datetime.timedelta(365))
    return builder.sign(key, hashes.SHA256())


def metadata(certificate):
    der = certificate.public_bytes(serialization.Encoding.DER)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="{ISSUER}"><md:IDPSSODescriptor WantAuthnRequestsSigned="false" '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
        f"{base64.encodebytes(der).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        f"<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>"
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="https://idp.example.com/sso"/><md:SingleSignOnService '
        f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>'
        f"</md:IDPSSODescriptor></md:EntityDescriptor>\n")


def main():
    shutil.rmtree("responses", ignore_errors=True)
    os.mkdir("responses")
    keys = {
        "rsa2048": rsa.generate_private_key(65537, 2048), "rsa1024": rsa.generate_private_key(65537, 1024),
        "p256": ec.generate_private_key(ec.SECP256R1()), "p384": ec.generate_private_key(ec.SECP384R1()),
        "p521": ec.generate_private_key(ec.SECP521R1())}
    certificates = {name: certificate_of(key) for name, key in keys.items()}
    pem = {name: key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption()) for name, key in keys.items()}
    cert_pem = {name: it.public_bytes(serialization.Encoding.PEM) for name, it in certificates.items()}
    for name, certificate in certificates.items():
        with open(f"responses/{name}.metadata.xml", "w") as file:
            file.write(metadata(certificate))

    def xmlsec_key(name):
        key = xmlsec.Key.from_memory(pem[name], xmlsec.KeyFormat.PEM)
        key.load_cert_from_memory(cert_pem[name], xmlsec.KeyFormat.CERT_PEM)
        return key

    def write(name, root):
        with open(f"responses/{name}.xml", "wb") as file:
            file.write(etree.tostring(root))

    assertion = f"{{{SAML}}}Assertion"
    for name, signature, digest in [
        ("rsa2048", "rsa-sha256", "sha256"), ("rsa2048", "rsa-sha384", "sha384"), ("rsa2048", "rsa-sha512", "sha512"),
        ("rsa2048", "rsa-sha256", "sha512"), ("rsa1024", "rsa-sha256", "sha256"), ("rsa1024", "rsa-sha512", "sha256"),
        ("p256", "ecdsa-sha256", "sha256"), ("p256", "ecdsa-sha384", "sha256"), ("p256", "ecdsa-sha512", "sha256"),
        ("p384", "ecdsa-sha256", "sha256"), ("p384", "ecdsa-sha384", "sha384"), ("p384", "ecdsa-sha512", "sha256"),
        ("p521", "ecdsa-sha256", "sha256"), ("p521", "ecdsa-sha384", "sha256"), ("p521", "ecdsa-sha512", "sha512"),
        ("rsa2048", "rsa-sha1", "sha1"), ("rsa2048", "rsa-sha256", "sha1"), ("rsa2048", "rsa-sha1", "sha256"),
    ]:
        root = signxml_sign(by_pysaml2(), assertion, keys[name], certificates[name], signature, digest)
        write(f"signxml.{signature}.{digest}.{name}", root)
    root = signxml_sign(by_hand(False), assertion, keys["rsa2048"], certificates["rsa2048"], "rsa-sha256", "sha256")
    write("signxml.both-signed.rsa2048",
          signxml_sign(root, None, keys["rsa2048"], certificates["rsa2048"], "rsa-sha256", "sha256"))
    write("signxml.response-signed-only.rsa2048", signxml_sign(
        by_hand(False), None, keys["rsa2048"], certificates["rsa2048"], "rsa-sha256", "sha256"))

    def sign(root, path=assertion, prefixes=None):
        return libxmlsec1_sign(root, path, xmlsec_key("rsa2048"), xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256,
                               prefixes)

    write("xmlsec.by-hand.rsa2048", sign(by_hand(False)))
    write("xmlsec.indented.rsa2048", sign(by_hand(True)))
    write("xmlsec.prefix-list.rsa2048", sign(by_hand(False), prefixes=["xs", "samlp", "#default"]))
    write("xmlsec.pysaml2.rsa2048", sign(by_pysaml2()))
    write("xmlsec.both-signed.rsa2048", sign(sign(by_pysaml2()), None))

    # One key for encryption, that of nobody's signatures.
    decryption = rsa.generate_private_key(65537, 2048)
    with open("responses/decryption-key.pem", "wb") as file:
        file.write(decryption.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                            serialization.NoEncryption()))
    to = certificate_of(decryption).public_bytes(serialization.Encoding.PEM)
    transform = xmlsec.Transform
    # Which python-xmlsec has no name for.
    oaep11 = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
    sha1, sha256 = "http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmlenc#sha256"
    mgf = "http://www.w3.org/2009/xmlenc11#mgf1"
    ciphers = {"aes128-cbc": (transform.AES128, 128), "aes256-cbc": (transform.AES256, 256),
               "aes128-gcm": (transform.AES128_GCM, 128), "aes256-gcm": (transform.AES256_GCM, 256),
               "aes192-cbc": (transform.AES192, 192)}
    oaeps = {"mgf1p": (None, None, None), "mgf1p-sha1": (None, sha1, None),
             "mgf1p-sha256": (None, sha256, None), "oaep": (oaep11, None, None),
             "oaep-sha256": (oaep11, sha256, None), "oaep-sha256-mgf-sha1": (oaep11, sha256, mgf + "sha1"),
             "oaep-sha256-mgf-sha256": (oaep11, sha256, mgf + "sha256"),
             "oaep-sha1-mgf-sha256": (oaep11, sha1, mgf + "sha256"), "pkcs1": (None, None, None)}

    def encrypted(root, cipher, oaep, beside=False):
        transport = transform.RSA_PKCS1 if oaep == "pkcs1" else transform.RSA_OAEP
        method, bits = ciphers[cipher]
        return libxmlsec1_encrypt(root, to, method, transport, bits, *oaeps[oaep], beside)

    for cipher in ciphers:
        write(f"encrypted.{cipher}.mgf1p.rsa2048", encrypted(sign(by_pysaml2()), cipher, "mgf1p"))
    for oaep in list(oaeps)[1:]:
        write(f"encrypted.aes256-gcm.{oaep}.rsa2048", encrypted(sign(by_hand(False)), "aes256-gcm", oaep))
    write("encrypted.key-beside.mgf1p.rsa2048", encrypted(sign(by_hand(True)), "aes256-cbc", "mgf1p", beside=True))
    write("encrypted.response-signed.mgf1p.rsa2048",
          sign(encrypted(sign(by_pysaml2()), "aes256-gcm", "mgf1p"), None))
    write("encrypted.unsigned.mgf1p.rsa2048", encrypted(by_pysaml2(), "aes256-gcm", "mgf1p"))
    write("encrypted.unsigned-in-signed-response.mgf1p.rsa2048",
          sign(encrypted(by_pysaml2(), "aes256-gcm", "mgf1p"), None))
    print(len(os.listdir("responses")), "files")


main()
