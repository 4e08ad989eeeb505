//! What identity providers read of this server as a service provider (SAML 2.0 Metadata, section 2.4.4).

/// The name by which AWS's guides set identity providers up: what they send to it is good here.
const ENTITY_ID: &str = "urn:amazon:webservices";
const PREFIX: &str = "https://aws.amazon.com/SAML/Attributes/";
/// What responses say to it, and whether they must: providers that go by this document leave out what it does not name.
const ATTRIBUTES: [(&str, bool); 4] =
    [("Role", true), ("RoleSessionName", true), ("SessionDuration", false), ("SourceIdentity", false)];

/// The document, for responses that are sent to `own`: an `http` or `https` URL of letters, digits and `-.:/[]`.
pub(super) fn document(own: &str) -> String {
    let attributes: String = ATTRIBUTES
        .iter()
        .map(|(name, is_required)| {
            format!(r#"<RequestedAttribute isRequired="{is_required}" Name="{PREFIX}{name}" FriendlyName="{name}"/>"#)
        })
        .collect();
    format!(
        r#"<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY_ID}"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true"><NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat><NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</NameIDFormat><NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat><AssertionConsumerService index="1" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{own}"/><AttributeConsumingService index="1"><ServiceName xml:lang="en">daypass</ServiceName>{attributes}</AttributeConsumingService></SPSSODescriptor></EntityDescriptor>
"#
    )
}
