//! Policy documents: parse, validate as every kind, rewrite principals, evaluate.
#![no_main]

use daypass_policy::{
    Context, Kind, Named, Policies, Policy, Principal, Request, evaluate, explain, rewrite_principals,
    size_without_white_space, validate,
};
use libfuzzer_sys::fuzz_target;

const KINDS: [Kind; 8] = [
    Kind::Managed,
    Kind::Inline,
    Kind::Session,
    Kind::Boundary,
    Kind::Trust,
    Kind::Resource,
    Kind::Scp,
    Kind::Rcp,
];

fuzz_target!(|text: &str| {
    let parsed = Policy::parse(text);
    for kind in KINDS {
        // What may be stored can be read again.
        assert!(validate(kind, text).is_err() || parsed.is_ok(), "{kind:?}");
    }
    assert!(size_without_white_space(text) <= text.chars().count());
    let Ok(policy) = parsed else { return };
    assert_eq!(rewrite_principals(text, |_| None).as_deref(), Ok(text));
    let rewritten = rewrite_principals(text, |_| Some("AIDA\"\\\u{1}".into()));
    if let Ok(rewritten) = rewritten {
        Policy::parse(&rewritten).expect("a rewritten document is a document");
    }
    decide(&policy);
});

fn decide(policy: &Policy) {
    let mut context = Context::new();
    context.insert("aws:username", "alice");
    context.insert("aws:SourceIp", "192.0.2.10");
    context.insert("aws:CurrentTime", "2026-01-15T12:00:00Z");
    context.insert_list("aws:TagKeys", vec!["Team".into(), "Cost".into()]);
    let named = [Named { id: "p", policy }];
    let account = "111122223333";
    let request = Request {
        principal: Principal::User { account, arn: "arn:aws:iam::111122223333:user/alice", id: None },
        action: "s3:GetObject",
        resource: "arn:aws:s3:::bucket/key",
        resource_account: Some(account),
        context: &context,
    };
    for policies in [
        Policies { identity: &named, ..Policies::default() },
        Policies { resource: Some(Named { id: "r", policy }), ..Policies::default() },
        Policies { identity: &named, boundary: Some(&named), session: &[&named], ..Policies::default() },
    ] {
        let decision = evaluate(&request, &policies);
        assert_eq!(explain(&request, &policies).decision.effect, decision.effect);
    }
}
