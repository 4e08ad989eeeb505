//! What all pages have around them, and the small things that several of them say.

use daypass_service::doors::{SIGN_IN_PATH, Whose, session_path};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

/// A page. `then` is where the browser goes by itself.
pub(super) fn layout(title: &str, account: Option<&str>, then: Option<&str>, main: &Markup) -> Markup {
    page(title, account, then, &html! {}, main)
}

fn page(title: &str, account: Option<&str>, then: Option<&str>, nav: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(then) = then {
                    meta http-equiv="refresh" content={ "0;url=" (then) };
                }
                title { (title) " · daypass" }
                link rel="stylesheet" href="/console/style.css";
                link rel="icon" href="/console/icon.svg" type="image/svg+xml";
            }
            body {
                header class="bar" {
                    span class="mark" { "daypass" }
                    @if let Some(account) = account {
                        span class="account" { "account " span class="figure" { (account) } }
                    }
                }
                (nav)
                main { (main) }
            }
        }
    }
}

/// What there is for somebody who is signed in, by its place below the session's path.
const PLACES: [(&str, &str); 3] =
    [("", "Your session"), ("sessions", "Sessions"), ("switch-role", "Switch role")];

/// A page of somebody who is signed in, at one of the places or below it: what else there is, beside what it says.
pub(super) fn within(title: &str, whose: &Whose, here: &str, main: &Markup) -> Markup {
    let path = session_path(whose.id);
    let nav = html! {
        nav aria-label="Console" {
            @for (place, says) in PLACES {
                a href={ (path) (place) } aria-current=[(place == here).then_some("page")] { (says) }
            }
            // The page of the session says it larger.
            @if !here.is_empty() {
                span class="quiet" { "as " code { (whose.arn) } }
            }
        }
    };
    page(title, Some(whose.account.as_str()), None, &nav, main)
}

/// A page that says one thing.
pub(super) fn message(title: &str, says: &Markup) -> Markup {
    layout(
        title,
        None,
        None,
        &html! {
            section class="card narrow" {
                h1 { (title) }
                (says)
            }
        },
    )
}

/// Where somebody signs in again. What is no web address is told and leads nowhere.
pub(super) fn sign_in_again(issuer: Option<&str>) -> Markup {
    html! {
        @match issuer {
            Some(path) if is_sign_in(path) => p { a href=(path) { "Sign in again" } "." },
            Some(url) if is_web(url) => p { "Sign in again at " a href=(url) rel="noreferrer" { (url) } "." },
            Some(name) => p { "Sign in again with " strong { (name) } "." },
            None => {
                p { "Sign in again where you came from." }
                p { a href=(SIGN_IN_PATH) { "Sign in with a password" } }
            }
        }
    }
}

/// Whether it is a form of ours: `/signin/<account or alias>`.
pub(super) fn is_sign_in(path: &str) -> bool {
    let account = path.strip_prefix(SIGN_IN_PATH).and_then(|rest| rest.strip_prefix('/'));
    account.is_some_and(|account| account.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

pub(super) fn is_web(url: &str) -> bool {
    daypass_model::Authority::split_url(url).is_ok()
}

/// A moment, for eyes and for machines.
pub(super) fn moment(seconds: i64) -> Markup {
    let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    html! { time datetime=(moment.to_string()) { (moment.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// `2 h 05 min`, rounded down to minutes: nobody is told of time that they do not have.
pub(super) fn duration(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    //! How times are told.

    use super::*;

    #[test]
    fn nobody_is_told_of_time_that_is_not_left() {
        for (seconds, told) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h 00 min"),
            (43_199, "11 h 59 min"),
        ] {
            assert_eq!(duration(seconds), told, "{seconds}");
        }
    }
}
