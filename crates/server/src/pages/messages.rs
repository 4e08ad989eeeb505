//! Pages that say one thing: that something is over, or did not work, and what to do next.

use daypass_model::SessionId;
use daypass_service::Error;
use daypass_service::doors::{SIGN_IN_PATH, session_path};
use maud::{Markup, html};

use super::layout::{layout, message, sign_in_again};

/// The browser asks once more, now from a page of ours, and brings its cookie.
pub(super) fn come_again(id: SessionId) -> Markup {
    let path = format!("{}?again", session_path(id));
    layout(
        "Signing in",
        None,
        Some(&path),
        &html! {
            section class="card narrow" {
                h1 { "Signing in" }
                p { a href=(path) { "Go on to your session" } " if your browser does not by itself." }
            }
        },
    )
}

pub(super) fn not_signed_in() -> Markup {
    message(
        "You are not signed in",
        &html! {
            p { "This address is of no session of this browser, or the browser does not keep its cookies. Each session has an address of its own." }
            p { a href=(SIGN_IN_PATH) { "Sign in with a password" } }
            p { "Or follow the sign-in link of your company, or make one: " code { "getSigninToken" } " turns temporary credentials into a link." }
        },
    )
}

pub(super) fn ended(issuer: Option<&str>) -> Markup {
    message(
        "Your session has ended",
        &html! {
            p { "Its time is over, somebody ended it, or whoever it was of is no longer here." }
            (sign_in_again(issuer))
        },
    )
}

pub(super) fn signed_out(issuer: Option<&str>) -> Markup {
    message(
        "You are signed out",
        &html! {
            p { "The session has ended, and the credentials that were shown for it with it." }
            (sign_in_again(issuer))
        },
    )
}

/// `session` is that whose page was asked: there is the way back.
pub(super) fn refused(request_id: &str, error: &Error, session: Option<SessionId>) -> Markup {
    let title = match error.code {
        "InvalidSigninToken" => "This link does not work",
        "InternalFailure" | "ServiceUnavailable" => "Something went wrong here",
        _ => "This did not work",
    };
    message(
        title,
        &html! {
            p { (error.message) }
            p {
                @match session {
                    Some(id) => { a href=(session_path(id)) { "Back to your session" } }
                    None => { a href=(SIGN_IN_PATH) { "Sign in" } }
                }
            }
            p class="quiet" { "Request " code { (request_id) } }
        },
    )
}
