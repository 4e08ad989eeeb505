//! The form of another role.

use daypass_service::doors::{RoleForm, session_path};
use maud::{Markup, html};

use super::layout::within;

pub(super) fn page(form: &RoleForm) -> Markup {
    let RoleForm { whose, code, tried, problem } = form;
    let (account, role) = tried
        .as_ref()
        .map_or((whose.account.as_str(), ""), |(account, role)| (account.as_str(), role.as_str()));
    within(
        "Switch role",
        whose,
        "switch-role",
        &html! {
            form class="card" method="post" action={ (session_path(whose.id)) "switch-role" } {
                h1 { "Switch role" }
                p { "The role opens in a session of its own; this one stays." }
                @if let Some(problem) = problem {
                    p class="problem" role="alert" { (problem) }
                }
                input type="hidden" name="code" value=(code);
                label for="account" { "Account number or alias" }
                input id="account" name="account" autocomplete="off" value=(account);
                label for="role" { "Role name, with its path if it has one" }
                input id="role" name="role" autocomplete="off" value=(role) required;
                button type="submit" { "Switch" }
            }
        },
    )
}
