//! The pages of `/signin`: account, user and password; the code of a device; another password.

use daypass_model::Secret;
use daypass_service::doors::{
    SIGN_IN_CHANGE_PATH, SIGN_IN_CODE_PATH, SIGN_IN_PATH, SIGN_IN_ROOT_PATH, SignInPage, SignInStep,
};
use maud::{Markup, html};

use super::layout::layout;

pub(super) fn page(page: &SignInPage) -> Markup {
    let problem = page.problem.as_ref().map(|problem| problem.says.as_str());
    match &page.step {
        SignInStep::Password { account, user, back, providers } => {
            let fields = password(account, user, back.as_deref(), providers);
            form("Sign in", SIGN_IN_PATH, &page.code, problem, &fields)
        }
        SignInStep::Code { progress, devices } => form(
            "Multi-factor authentication",
            SIGN_IN_CODE_PATH,
            &page.code,
            problem,
            &code(progress, devices),
        ),
        SignInStep::Root => form("Sign in as root", SIGN_IN_ROOT_PATH, &page.code, problem, &root()),
        SignInStep::Change { progress, user } => {
            form("Choose a new password", SIGN_IN_CHANGE_PATH, &page.code, problem, &change(progress, user))
        }
    }
}

fn form(title: &str, path: &str, code: &str, problem: Option<&str>, fields: &Markup) -> Markup {
    layout(
        title,
        None,
        None,
        &html! {
            form class="card narrow" method="post" action=(path) {
                h1 { (title) }
                @if let Some(problem) = problem {
                    p class="problem" role="alert" { (problem) }
                }
                input type="hidden" name="code" value=(code);
                (fields)
            }
        },
    )
}

/// The first field that is empty is where the keyboard is.
fn password(account: &str, user: &str, back: Option<&str>, providers: &[(String, String)]) -> Markup {
    html! {
        @if let Some(back) = back {
            p { "A program waits for you to sign in. It asks once more afterwards." }
            input type="hidden" name="back" value=(back);
        }
        label for="account" { "Account number or alias" }
        input id="account" name="account" value=(account) autocomplete="organization" autocapitalize="none"
            spellcheck="false" required maxlength="63" autofocus[account.is_empty()];
        label for="username" { "User name" }
        input id="username" name="username" value=(user) autocomplete="username" autocapitalize="none"
            spellcheck="false" required maxlength="64" autofocus[!account.is_empty() && user.is_empty()];
        label for="password" { "Password" }
        input id="password" name="password" type="password" autocomplete="current-password" required
            maxlength="128" autofocus[!account.is_empty() && !user.is_empty()];
        button type="submit" { "Sign in" }
        @for (name, path) in providers {
            p { a href=(path) { "Sign in with " (name) } }
        }
    }
}

fn code(progress: &Secret, devices: &[String]) -> Markup {
    html! {
        p { "Your account is protected by an MFA device. Enter the code that it shows." }
        input type="hidden" name="progress" value=(progress.expose_str());
        @if let [device] = devices {
            input type="hidden" name="device" value=(device);
        } @else {
            label for="device" { "MFA device" }
            select id="device" name="device" {
                @for device in devices { option value=(device) { (name_of(device)) } }
            }
        }
        label for="mfacode" { "MFA code" }
        input id="mfacode" name="mfacode" inputmode="numeric" autocomplete="one-time-code" required maxlength="9" autofocus;
        button type="submit" { "Go on" }
        p { a href=(SIGN_IN_PATH) { "Begin again" } }
    }
}

fn root() -> Markup {
    html! {
        p { "Whoever runs this server makes a code for you: " code { "daypass account sign-in" } "." }
        label for="rootcode" { "Code" }
        input id="rootcode" name="rootcode" type="password" autocomplete="off" required autofocus;
        button type="submit" { "Sign in" }
        p { a href=(SIGN_IN_PATH) { "Sign in as a user" } }
    }
}

fn change(progress: &Secret, user: &str) -> Markup {
    html! {
        p { "The password of " strong { (user) } " has expired, or your administrator wants another one. You are signed in once it is changed." }
        input type="hidden" name="progress" value=(progress.expose_str());
        label for="password" { "New password" }
        input id="password" name="password" type="password" autocomplete="new-password" required maxlength="128" autofocus;
        label for="again" { "New password, once more" }
        input id="again" name="again" type="password" autocomplete="new-password" required maxlength="128";
        button type="submit" { "Change the password and go on" }
    }
}

fn name_of(device: &str) -> &str {
    device.split_once(":mfa/").map_or(device, |(_, name)| name)
}
