//! The role chooser: which of the roles that an identity provider offers somebody is meant.
//!
//! Programs read this page, too (`saml2aws` and its kin): names of fields, classes and the place of things are those of AWS's.

use daypass_model::{AccountId, Secret};
use daypass_service::doors::{RoleChoice, RoleField};
use maud::{Markup, html};

use super::layout::layout;

pub(super) fn page(
    accounts: &[(AccountId, Vec<RoleChoice>)],
    response: &Secret,
    field: &RoleField,
    relay_state: Option<&str>,
    path: &str,
) -> Markup {
    let first = accounts.iter().flat_map(|(_, roles)| roles).next().map(|role| role.arn.as_str());
    layout(
        "Choose a role",
        None,
        None,
        &html! {
            form id="saml_form" name="saml_form" class="card" method="post" action=(path) {
                h1 { "Choose a role" }
                p { "Your company offers you several. You can come back for another." }
                @match field {
                    RoleField::SamlResponse => input type="hidden" name="SAMLResponse" value=(response.expose_str());,
                    RoleField::Token { code } => {
                        input type="hidden" name="code" value=(code);
                        input type="hidden" name="token" value=(response.expose_str());
                    }
                }
                @if let Some(state) = relay_state {
                    input type="hidden" name="RelayState" value=(state);
                }
                fieldset {
                    legend { "Roles by account" }
                    @for (account, roles) in accounts {
                        div class="saml-account" {
                            div class="saml-account-name" id={ "account-" (account) } { "Account: " (account) }
                            @for role in roles {
                                div class="saml-role" {
                                    input type="radio" name="roleIndex" id=(role.arn) value=(role.arn)
                                        class="saml-radio" aria-describedby={ "account-" (account) }
                                        required checked[first == Some(role.arn.as_str())];
                                    label for=(role.arn) class="saml-role-description" { (role.name) }
                                }
                            }
                        }
                    }
                }
                button type="submit" id="signin_button" { "Sign in" }
            }
        },
    )
}
