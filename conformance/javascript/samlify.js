// npm's `samlify` as an identity provider, as its guide has it. conformance/test_samlify.py starts it for one response.
//
// At its standard input: {entity, acs, audience, key, certificate, reader, attributes, subject, settings}, where `reader` is the
// certificate that assertions are encrypted for, if they are. It prints {metadata, response}.

"use strict";

const { randomBytes } = require("node:crypto");
const { IdentityProvider, SamlLib, ServiceProvider } = require("samlify");

const POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const STATEMENT = '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="{AssertionID}"><saml:AuthnContext>' +
  "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>" +
  "</saml:AuthnContext></saml:AuthnStatement>";

const id = () => `_${randomBytes(16).toString("hex")}`;

function main(asked) {
  const names = Object.keys(asked.attributes);
  const context = SamlLib.defaultLoginResponseTemplate.context
    .replace("{AuthnStatement}", STATEMENT)
    .replaceAll(' InResponseTo="{InResponseTo}"', "");
  const attributes = names.map((name, n) => ({
    name,
    valueTag: `value${n}`,
    nameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
    valueXsiType: "xs:string",
  }));
  const idp = IdentityProvider({
    entityID: asked.entity,
    signingCert: asked.certificate,
    privateKey: asked.key,
    isAssertionEncrypted: Boolean(asked.reader),
    nameIDFormat: [PERSISTENT],
    singleSignOnService: [{ Binding: POST, Location: `${asked.entity}/sso` }],
    loginResponseTemplate: { context, attributes },
    ...asked.settings.idp,
  });
  const sp = ServiceProvider({
    entityID: asked.audience,
    wantAssertionsSigned: true,
    encryptCert: asked.reader ?? undefined,
    assertionConsumerService: [{ Binding: POST, Location: asked.acs }],
    ...asked.settings.sp,
  });
  const now = new Date();
  const soon = new Date(now.getTime() + 300_000).toISOString();
  const tags = {
    ID: id(),
    AssertionID: id(),
    Issuer: asked.entity,
    IssueInstant: now.toISOString(),
    Destination: asked.acs,
    SubjectRecipient: asked.acs,
    Audience: asked.audience,
    StatusCode: "urn:oasis:names:tc:SAML:2.0:status:Success",
    NameIDFormat: PERSISTENT,
    NameID: asked.subject,
    ConditionsNotBefore: now.toISOString(),
    ConditionsNotOnOrAfter: soon,
    SubjectConfirmationDataNotOnOrAfter: soon,
    ...Object.fromEntries(names.map((name, n) => [`attrValue${n}`, asked.attributes[name]])),
  };
  const fill = (template) => ({ id: tags.ID, context: SamlLib.replaceTagsByValue(template, tags) });
  return idp
    .createLoginResponse(sp, null, "post", {}, { customTagReplacement: fill })
    .then(({ context: response }) => ({ metadata: idp.getMetadata(), response }));
}

let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", async () => console.log(JSON.stringify(await main(JSON.parse(text)))));
