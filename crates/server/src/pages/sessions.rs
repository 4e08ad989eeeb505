//! The account's sessions, for whoever has to find one and end it, at any hour.

use daypass_service::doors::{End, Listed, SessionList, SessionShown, session_path};
use maud::{Markup, html};

use super::layout::{duration, moment, within};

/// Ways to look for one, as the form names them.
const WAYS: [(&str, &str); 4] = [
    ("name", "Role, user or session"),
    ("source", "Source identity"),
    ("arn", "ARN"),
    ("key", "Access key id"),
];

pub(super) fn list(list: &SessionList) -> Markup {
    let path = session_path(list.whose.id);
    within(
        "Sessions",
        &list.whose,
        "sessions",
        &html! {
            h1 { "Sessions" }
            form class="card search" method="get" action={ (path) "sessions" } role="search" {
                div { label for="by" { "Search by" }
                    select id="by" name="by" {
                        @for (way, says) in WAYS {
                            option value=(way) selected[way == list.search.by] { (says) }
                        }
                    } }
                div { label for="text" { "Value" }
                    input id="text" name="text" value=(list.search.text) autocomplete="off" aria-describedby="hint"; }
                div class="check" { input type="checkbox" id="ended" name="ended" value="1" checked[list.search.ended];
                    label for="ended" { "Ended ones too" } }
                button type="submit" { "Search" }
                p class="quiet" id="hint" { "Of a name, spelt as it is, its beginning is enough: of the role's, user's or session's. Anything else is given whole." }
            }
            @if list.may_be_incomplete {
                p class="problem" role="alert" { "The log of this server lacks some sessions that live." }
            }
            @if let Some(problem) = &list.problem {
                p class="problem" role="alert" { (problem) }
            } @else if list.sessions.is_empty() {
                p class="card" { "No such session." }
            } @else {
                (table(&list.sessions, &path, list.now, "Sessions that were found"))
            }
            @if let Some(marker) = &list.marker {
                form method="get" action={ (path) "sessions" } {
                    input type="hidden" name="by" value=(list.search.by);
                    input type="hidden" name="text" value=(list.search.text);
                    @if list.search.ended { input type="hidden" name="ended" value="1"; }
                    input type="hidden" name="marker" value=(marker);
                    button type="submit" class="plain" { "Older ones" }
                }
            }
        },
    )
}

fn table(sessions: &[Listed], path: &str, now: i64, caption: &str) -> Markup {
    html! {
        div class="card" {
            table {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "Session" } th scope="col" class="state" { "State" }
                    th scope="col" { "Asked for by" } th scope="col" class="since" { "Since" }
                } }
                tbody {
                    @for session in sessions {
                        tr {
                            th scope="row" {
                                a href={ (path) "sessions/" (session.session_id) } { (short(&session.arn)) }
                                @if let Some(person) = &session.source_identity { div class="quiet" { "source identity " (person) } }
                            }
                            // In a narrow window there are no columns, and each says what it is.
                            td data-label="State" { (state(session, now)) }
                            td data-label="Asked for by" {
                                (asker(session))
                                @if let Some(address) = &session.source_ip_address { div class="quiet" { "from " (address) } }
                            }
                            td data-label="Since" { (moment(session.issued_at)) }
                        }
                    }
                }
            }
        }
    }
}

/// What follows the account in an ARN: the account is the page's own.
fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn state(session: &Listed, now: i64) -> Markup {
    html! {
        @match session.status.as_str() {
            "Live" => { span class="live" { "live" } ", " (duration(session.expires - now)) " left" }
            "Expired" => { "over" }
            "Revoked" => { "ended" }
            _ => { "its role or user is gone" }
        }
    }
}

fn asker(session: &Listed) -> Markup {
    html! {
        @match &session.requested_by.arn {
            Some(arn) => { (short(arn)) }
            None => { "account " (session.requested_by.account_id) }
        }
    }
}

pub(super) fn one(shown: &SessionShown) -> Markup {
    let (session, path) = (&shown.session, session_path(shown.whose.id));
    within(
        "Session",
        &shown.whose,
        "sessions/",
        &html! {
            @if let Some(end) = shown.ended { (done(end, session)) }
            section class="card" aria-labelledby="which" {
                p class="kind" { (state(session, shown.now)) }
                h1 id="which" { (short(&session.arn)) }
                p class="arn" { code { (session.arn) } }
                dl {
                    dt { "Asked for by" }
                    dd { (asker(session)) @if let Some(key) = &session.requested_by.access_key_id { ", with " code { (key) } } }
                    @if let Some(person) = &session.source_identity { dt { "Source identity" } dd { (person) } }
                    dt { "From" } dd { (session.source_ip_address.as_deref().unwrap_or("not known here")) }
                    @if let Some(agent) = &session.user_agent { dt { "Program" } dd { (agent) } }
                    dt { "Access key id" } dd { code { (session.access_key_id) } }
                    dt { "Since" } dd { (moment(session.issued_at)) }
                    dt { "Until" } dd { (moment(session.expires)) }
                    dt { "Multi-factor authentication" } dd { @if session.mfa_authenticated { "given" } @else { "not given" } }
                    @if let Some(text) = &session.description { dt { "Description" } dd { (text) } }
                    dt { "Session" } dd { code { (session.session_id) } }
                }
            }
            section class="card" aria-labelledby="chain" {
                h2 id="chain" { "How it came about" }
                ol class="chain" {
                    @for step in &shown.chain {
                        li {
                            @match step.session {
                                Some(id) => { a href={ (path) "sessions/" (id) } { code { (step.who) } } }
                                None => { code { (step.who) } }
                            }
                        }
                    }
                    li aria-current="step" { code { (session.arn) } }
                }
            }
            @if !shown.issued.is_empty() {
                (table(&shown.issued, &path, shown.now, if shown.is_truncated { "The newest that it issued" } else { "What it issued" }))
            }
            (end(shown))
        },
    )
}

/// What was asked for is done.
fn done(end: End, session: &Listed) -> Markup {
    html! {
        p class="done" role="status" {
            @match end {
                End::This => { "Ended: this session. What it issued goes on." }
                End::Issued => {
                    "Ended: this session and all that it issued."
                    @if session.status == "Expired" { " It was over by itself: a long chain that came of it may have forgotten it, and go on. The end of all sessions of its principal reaches that." }
                }
                End::Principal => { "Ended: every session of " code { (session.principal_arn) } " that was issued by then, and all that they and its access keys asked for." }
            }
        }
    }
}

fn end(shown: &SessionShown) -> Markup {
    let (session, path) = (&shown.session, session_path(shown.whose.id));
    let to = format!("{path}sessions/{}/revoke", session.session_id);
    let form = |end: End, says: &Markup, what: &str| {
        html! {
            form method="post" action=(to) {
                input type="hidden" name="code" value=(shown.code);
                input type="hidden" name="end" value=(end.word());
                @if end == End::Principal { input type="hidden" name="principal" value=(session.principal_arn); }
                button type="submit" class="plain danger" { (what) }
                p class="quiet" { (says) }
            }
        }
    };
    html! {
        section class="card ends" aria-labelledby="end" {
            h2 id="end" { "End it" }
            p { "It holds with the next request, on every server. What a service behind daypass has in its own memory ends when that does." }
            @if session.status == "Live" {
                (form(End::This, &html! { "What it issued goes on." }, "End this session"))
            }
            @let is_over = session.expires <= shown.now;
            (form(End::Issued, &html! {
                "Also what others were given by it, in whatever account."
                @if is_over { " It is over by itself: a chain that somebody drew out to more than fifteen sessions since has forgotten it and goes on. The next end reaches that." }
            }, "End it and all that it issued"))
            // Others' sessions, too: one step more than a slip of the finger.
            details {
                summary { "End all sessions of its principal…" }
                (form(End::Principal, &html! { "Every session of " code { (session.principal_arn) } " that was issued by now, and every session that they or its access keys asked for, in whatever account. New ones can be had." }, "End all sessions of its principal"))
            }
        }
    }
}
