//! "Your session": who you are and by which chain, what time is left, credentials for a command line, and the way out.

use daypass_service::doors::{CommandLine, Whose, YourSession, session_path};
use maud::{Markup, html};

use super::layout::{duration, is_sign_in, is_web, moment, within};

pub(super) fn page(session: &YourSession, given: Option<&CommandLine>) -> Markup {
    let title = format!("{} · Your session", session.name);
    let whose = Whose { id: session.id, account: session.account, arn: session.arn.clone() };
    within(
        &title,
        &whose,
        "",
        &html! {
            (who(session, given.is_some()))
            @if let Some(given) = given {
                (credentials(given, session.now))
            }
            (chain(session))
            (facts(session))
        },
    )
}

/// Who, for how long, and what may be done: all of it without scrolling.
fn who(session: &YourSession, shown: bool) -> Markup {
    let (left, whole) = ((session.expires - session.now).max(0), (session.expires - session.began).max(1));
    html! {
        section class="card" aria-labelledby="who" {
            p class="kind" { (kind(session.kind)) }
            h1 id="who" {
                (session.name)
                @if let Some(name) = &session.session_name { span class="as" { " / " (name) } }
            }
            p class="arn" { code { (session.arn) } }
            div class="time" {
                progress max=(whole) value=(left.min(whole)) aria-label="Time left" {}
                p { strong { (duration(left)) } " left, until " (moment(session.expires)) }
            }
            (actions(session, shown))
        }
    }
}

fn kind(kind: &str) -> &'static str {
    match kind {
        "AssumedRole" => "Role",
        "FederatedUser" => "Federated user",
        "IAMUser" => "IAM user",
        _ => "Root user",
    }
}

/// The same within a sentence.
fn of_kind(kind: &str) -> String {
    let name = self::kind(kind);
    if name.starts_with("IAM") { name.to_owned() } else { name.to_lowercase() }
}

/// Where the way was to lead comes first, and the way out last.
fn actions(session: &YourSession, shown: bool) -> Markup {
    let path = session_path(session.id);
    let destination = session.destination.as_deref().filter(|url| is_web(url));
    html! {
        @if let Some(url) = destination {
            p { a class="button" href=(url) rel="noreferrer" { "Continue to " (url) } }
        }
        div class="actions" {
            form method="post" action={ (path) "credentials" } {
                input type="hidden" name="code" value=(session.credentials_code);
                button type="submit" class=[destination.map(|_| "plain")] {
                    @if shown { "Show new credentials" } @else { "Show credentials" }
                }
            }
            form method="post" action={ (path) "sign-out" } {
                input type="hidden" name="code" value=(session.sign_out_code);
                button type="submit" class="plain" { "Sign out" }
            }
        }
        p class="quiet" { "Credentials are for a command line: good for 15 minutes, and over when you sign out." }
    }
}

fn chain(session: &YourSession) -> Markup {
    // The credentials that became this session are nobody else's.
    let is_last = session.chain.last().is_some_and(|step| step.who == session.arn);
    html! {
        section class="card" aria-labelledby="chain" {
            h2 id="chain" { "How you got here" }
            ol class="chain" {
                @for step in &session.chain {
                    li {
                        code { (step.who) }
                        @if let Some(expires) = step.expires {
                            " " span class="quiet" {
                                @if expires > session.now { "until " } @else { "over since " }
                                (moment(expires))
                            }
                        }
                    }
                }
                li aria-current="step" {
                    @if !is_last { code { (session.arn) } " " }
                    span class="quiet" { "This session, since " (moment(session.began)) }
                }
            }
        }
    }
}

fn facts(session: &YourSession) -> Markup {
    html! {
        section class="card" aria-labelledby="facts" {
            h2 id="facts" { "About this session" }
            dl {
                dt { "Multi-factor authentication" }
                dd { @if session.mfa { "given" } @else { "not given" } }
                @if let Some(person) = &session.source_identity {
                    dt { "Source identity" } dd { (person) }
                }
                dt { "Session policies" }
                dd {
                    @match (session.policy_layers, session.kind) {
                        (0, "FederatedUser") => { "none: only what policies of resources allow" }
                        (0, kept) => { "none: everything that the " (of_kind(kept)) " may do" }
                        (1, _) => { "one, which narrows what it may do" }
                        (more, _) => { (more) ", which narrow what it may do" }
                    }
                }
                @if !session.tags.is_empty() {
                    dt { "Session tags" }
                    dd { ul class="tags" { @for tag in &session.tags { li { code { (tag.key) "=" (tag.value) } } } } }
                }
                @if let Some(issuer) = &session.issuer {
                    dt { "Signed in at" }
                    dd { @if is_web(issuer) || is_sign_in(issuer) { a href=(issuer) rel="noreferrer" { (issuer) } } @else { (issuer) } }
                }
                dt { "Session" } dd { code { (session.id) } }
            }
        }
    }
}

/// The lines stand in fields, so that a keyboard alone selects all of them: there is no script that could copy them. The
/// first has the focus, since it is what was asked for.
fn credentials(given: &CommandLine, now: i64) -> Markup {
    let lines = |set: &dyn Fn(&[&str], &str) -> String| {
        let mut lines = vec![
            set(&["AWS_ACCESS_KEY_ID"], &given.access_key_id),
            set(&["AWS_SECRET_ACCESS_KEY"], given.secret_access_key.expose_str()),
            set(&["AWS_SESSION_TOKEN"], given.session_token.expose_str()),
            set(&["AWS_REGION", "AWS_DEFAULT_REGION"], &given.region),
        ];
        if let Some(endpoint) = &given.endpoint {
            lines.extend(
                ["STS", "IAM", "DAYPASS"].map(|of| set(&[&format!("AWS_ENDPOINT_URL_{of}")], endpoint)),
            );
        }
        lines.join("\n")
    };
    let all = |names: &[&str], value: &str, before: &str, between: &str| {
        names.iter().map(|name| format!("{before}{name}='{value}'")).collect::<Vec<_>>().join(between)
    };
    let of_shell = lines(&|names, value| format!("export {}", all(names, value, "", " ")));
    let of_powershell = lines(&|names, value| all(names, value, "$Env:", "; "));
    html! {
        section class="card given" aria-labelledby="given" {
            h2 id="given" { "Credentials for a command line" }
            p { "They are a secret, and good for " strong { (duration(given.expires - now)) } ". Select all lines with " kbd { "Ctrl+A" } " or " kbd { "⌘A" } "." }
            @if given.endpoint.is_none() {
                p { "Without " code { "AWS_ENDPOINT_URL_STS" } " and " code { "AWS_ENDPOINT_URL_IAM" } " programs take them to AWS." }
            }
            label for="shell" { "Linux and macOS" }
            textarea id="shell" rows="12" readonly autofocus spellcheck="false" autocomplete="off" { (of_shell) }
            details {
                summary { "PowerShell" }
                textarea aria-label="PowerShell" rows="12" readonly spellcheck="false" autocomplete="off" { (of_powershell) }
            }
        }
    }
}
