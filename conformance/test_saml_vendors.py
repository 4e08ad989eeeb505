"""Responses in the form in which AD FS and Shibboleth write them: their namespaces, prefixes, blanks and types, which none of the
providers that the tests run has. xmlsec1 signs them.

The forms are those that responses of both have been published in; names, ids and times are ours. What counts here: nothing of
the writing is like that of the other tests' providers.
"""

import secrets

import pytest

from support.saml import ACS, AUDIENCE, AWS, SAML, SAMLP, HandMade, form, instant, xmlsec1
from support.vouched import SamlProvider, assume

DS, EXCLUSIVE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256, SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256"

# One line; the assertion's namespace is the default one, and times have three digits behind the second.
AD_FS = f"""<samlp:Response ID="_{{response}}" Version="2.0" IssueInstant="{{now}}" Destination="{ACS}" \
Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified" xmlns:samlp="{SAMLP}">\
<Issuer xmlns="{SAML}">{{entity}}</Issuer>\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success" /></samlp:Status>\
<Assertion ID="_{{assertion}}" IssueInstant="{{now}}" Version="2.0" xmlns="{SAML}"><Issuer>{{entity}}</Issuer>\
<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}" />\
<ds:SignatureMethod Algorithm="{RSA_SHA256}" /><ds:Reference URI="#_{{assertion}}"><ds:Transforms>\
<ds:Transform Algorithm="{DS}enveloped-signature" /><ds:Transform Algorithm="{EXCLUSIVE}" /></ds:Transforms>\
<ds:DigestMethod Algorithm="{SHA256}" /><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>\
<ds:SignatureValue></ds:SignatureValue><KeyInfo xmlns="{DS}"><ds:X509Data><ds:X509Certificate>{{certificate}}\
</ds:X509Certificate></ds:X509Data></KeyInfo></ds:Signature>\
<Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">CORP\\alice</NameID>\
<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<SubjectConfirmationData NotOnOrAfter="{{soon}}" Recipient="{ACS}" /></SubjectConfirmation></Subject>\
<Conditions NotBefore="{{now}}" NotOnOrAfter="{{later}}"><AudienceRestriction><Audience>{AUDIENCE}</Audience>\
</AudienceRestriction></Conditions><AttributeStatement>\
<Attribute Name="{AWS}RoleSessionName"><AttributeValue>alice@corp.example</AttributeValue></Attribute>\
<Attribute Name="{AWS}Role"><AttributeValue>{{role}}</AttributeValue></Attribute></AttributeStatement>\
<AuthnStatement AuthnInstant="{{now}}" SessionIndex="_{{assertion}}"><AuthnContext>\
<AuthnContextClassRef>urn:federation:authentication:windows</AuthnContextClassRef></AuthnContext></AuthnStatement>\
</Assertion></samlp:Response>"""

# Prefixes of its own, line ends, typed values, and a list of prefixes that the digest takes over from outside.
SHIBBOLETH = f"""<?xml version="1.0" encoding="UTF-8"?>
<saml2p:Response Destination="{ACS}" ID="_{{response}}" IssueInstant="{{now}}" Version="2.0" xmlns:saml2p="{SAMLP}" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <saml2:Issuer xmlns:saml2="{SAML}">{{entity}}</saml2:Issuer>
  <saml2p:Status>
    <saml2p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>
  </saml2p:Status>
  <saml2:Assertion ID="_{{assertion}}" IssueInstant="{{now}}" Version="2.0" xmlns:saml2="{SAML}">
    <saml2:Issuer>{{entity}}</saml2:Issuer>
    <ds:Signature xmlns:ds="{DS}">
      <ds:SignedInfo>
        <ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>
        <ds:SignatureMethod Algorithm="{RSA_SHA256}"/>
        <ds:Reference URI="#_{{assertion}}">
          <ds:Transforms>
            <ds:Transform Algorithm="{DS}enveloped-signature"/>
            <ds:Transform Algorithm="{EXCLUSIVE}">
              <ec:InclusiveNamespaces PrefixList="xsd" xmlns:ec="{EXCLUSIVE}"/>
            </ds:Transform>
          </ds:Transforms>
          <ds:DigestMethod Algorithm="{SHA256}"/>
          <ds:DigestValue></ds:DigestValue>
        </ds:Reference>
      </ds:SignedInfo>
      <ds:SignatureValue></ds:SignatureValue>
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{{certificate}}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </ds:Signature>
    <saml2:Subject>
      <saml2:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient" NameQualifier="{{entity}}" \
SPNameQualifier="{AUDIENCE}">AAdzZWNyZXQx</saml2:NameID>
      <saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
        <saml2:SubjectConfirmationData Address="198.51.100.7" NotOnOrAfter="{{soon}}" Recipient="{ACS}"/>
      </saml2:SubjectConfirmation>
    </saml2:Subject>
    <saml2:Conditions NotBefore="{{now}}" NotOnOrAfter="{{soon}}">
      <saml2:AudienceRestriction>
        <saml2:Audience>{AUDIENCE}</saml2:Audience>
      </saml2:AudienceRestriction>
    </saml2:Conditions>
    <saml2:AuthnStatement AuthnInstant="{{now}}" SessionIndex="_{{assertion}}">
      <saml2:SubjectLocality Address="198.51.100.7"/>
      <saml2:AuthnContext>
        <saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml2:AuthnContextClassRef>
      </saml2:AuthnContext>
    </saml2:AuthnStatement>
    <saml2:AttributeStatement>
      <saml2:Attribute FriendlyName="Role" Name="{AWS}Role" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">
        <saml2:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xsd:string">{{role}}</saml2:AttributeValue>
      </saml2:Attribute>
      <saml2:Attribute FriendlyName="RoleSessionName" Name="{AWS}RoleSessionName" \
NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">
        <saml2:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xsd:string">alice</saml2:AttributeValue>
      </saml2:Attribute>
    </saml2:AttributeStatement>
  </saml2:Assertion>
</saml2p:Response>
"""

VENDORS = {"AD FS": (AD_FS, "CORP\\alice", "persistent"), "Shibboleth": (SHIBBOLETH, "AAdzZWNyZXQx", "transient")}


@pytest.fixture(params=VENDORS, scope="module")
def vendor(request, home, tmp_path_factory):
    text, subject, kind = VENDORS[request.param]
    idp = HandMade(tmp_path_factory.mktemp("vendor"), f"https://{secrets.token_hex(4)}.example.test/idp")
    return idp, SamlProvider(home, idp.metadata()), text, subject, kind


def signed(idp, text, role):
    """The response of now, with its assertion signed."""
    moments = {"now": instant(), "soon": instant(minutes=5), "later": instant(hours=1)}
    if text is AD_FS:
        moments = {name: moment.replace("Z", ".123Z") for name, moment in moments.items()}
    ids = {"response": secrets.token_hex(16), "assertion": secrets.token_hex(16)}
    filled = text.format(entity=idp.entity, certificate=idp.pair.base64, role=role, **moments, **ids)
    place = f"//*[@ID='_{ids['assertion']}']/*[local-name()='Signature']"
    arguments = ["--sign", "--privkey-pem", idp.pair.key, "--id-attr:ID", f"{SAML}:Assertion", "--node-xpath", place]
    return xmlsec1(filled, *arguments, "/dev/stdin")


def test_response_of_the_vendor_becomes_a_session(home, vendor):
    idp, provider, text, subject, kind = vendor
    role = provider.role()
    answer = assume(home.house.nobody(), role, form(signed(idp, text, role)))
    assert (answer["Subject"], answer["SubjectType"], answer["Issuer"]) == (subject, kind, idp.entity)


def test_response_of_the_vendor_is_read_as_it_was_signed(home, vendor):
    idp, provider, text, subject, _ = vendor
    role, other = provider.role(), provider.role()
    response = signed(idp, text, role)
    for old, new in [(subject, "mallory"), (role.arn, other.arn)]:
        assert old in response
        with pytest.raises(home.iam.exceptions.ClientError) as refused:
            assume(home.house.nobody(), other if new == other.arn else role, form(response.replace(old, new)))
        assert refused.value.response["Error"]["Code"] == "InvalidIdentityToken"
