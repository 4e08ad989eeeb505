//! Laws that hold for every request and every set of policies.

use daypass_policy::{Decision, DecisionEffect, Principal, explain};
use proptest::prelude::*;

use crate::model::{Document, Statement, World, cases, document, world};

fn decide(world: &World) -> Decision<'static> {
    world.scene().decide()
}

/// The worlds in which `document` joins the policies of one kind.
fn joined(world: &World, document: &Document) -> Vec<World> {
    let mut worlds = Vec::new();
    let mut with = |change: &dyn Fn(&mut World)| {
        let mut changed = world.clone();
        change(&mut changed);
        worlds.push(changed);
    };
    with(&|world| world.identity.push(document.clone()));
    with(&|world| world.attached.get_or_insert_default().extend(document.clone()));
    with(&|world| world.boundary.iter_mut().for_each(|documents| documents.push(document.clone())));
    with(&|world| world.session.iter_mut().for_each(|documents| documents.push(document.clone())));
    with(&|world| world.scoped.iter_mut().for_each(|documents| documents.push(document.clone())));
    with(&|world| world.scp.iter_mut().for_each(|documents| documents.push(document.clone())));
    with(&|world| world.rcp.iter_mut().for_each(|documents| documents.push(document.clone())));
    worlds
}

fn with_effect(document: &Document, deny: bool) -> Document {
    document.iter().cloned().map(|statement| Statement { deny, ..statement }).collect()
}

fn deny_everything() -> Statement {
    Statement {
        deny: true,
        not_action: false,
        actions: vec!["*"],
        not_resource: false,
        resources: vec!["*"],
        conditions: Vec::new(),
        principals: vec![("AWS", "*")],
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// INVARIANT (deny-wins).
    #[test]
    fn a_deny_of_everything_at_the_resource_wins(world in world()) {
        let mut world = world;
        world.attached.get_or_insert_default().insert(0, deny_everything());
        prop_assert_eq!(decide(&world).effect, DecisionEffect::ExplicitlyDenied);
    }

    /// INVARIANT (deny-wins).
    #[test]
    fn a_deny_of_everything_in_the_callers_policies_wins(world in world()) {
        let mut world = world;
        world.scp.push(vec![vec![deny_everything()]]);
        if decide(&world).effect != DecisionEffect::ExplicitlyDenied {
            prop_assert!(world.principal.account().is_none());
        }
    }

    #[test]
    fn one_more_allow_never_takes_a_right_away(world in world(), document in document()) {
        let before = decide(&world);
        for world in joined(&world, &with_effect(&document, false)) {
            let after = decide(&world);
            prop_assert!(!before.is_allowed() || after.is_allowed(), "{:?}", world);
        }
    }

    #[test]
    fn one_more_deny_never_gives_a_right(world in world(), document in document()) {
        let before = decide(&world);
        for world in joined(&world, &with_effect(&document, true)) {
            let after = decide(&world);
            prop_assert!(before.is_allowed() || !after.is_allowed(), "{:?}", world);
            if before.effect == DecisionEffect::ExplicitlyDenied {
                prop_assert_eq!(after.effect, DecisionEffect::ExplicitlyDenied);
            }
        }
    }

    /// INVARIANT (no-widening): one more layer, boundary or level of the organization only takes away.
    #[test]
    fn one_more_limit_never_gives_a_right(world in world(), documents in prop::collection::vec(document(), 0..3)) {
        let before = decide(&world);
        let mut changed = vec![world.clone(); 4];
        // A federated user without any session policy is the exception: its first one gives it rights.
        if !changed[0].session.is_empty() || !matches!(world.principal, Principal::Federated { .. }) {
            changed[0].session.push(documents.clone());
        }
        changed[1].scp.push(documents.clone());
        changed[2].boundary.get_or_insert(documents.clone());
        changed[3].scoped.push(documents);
        for world in changed {
            prop_assert!(before.is_allowed() || !decide(&world).is_allowed(), "{:?}", world);
        }
    }

    /// INVARIANT (no-widening): a session without a resource policy that names it has no more than the
    /// caller without a session, and no more than each layer alone.
    #[test]
    fn no_session_exceeds_its_parts(world in world()) {
        let mut world = world;
        world.attached = None;
        if decide(&world).is_allowed() && world.principal.account().is_some() {
            for layer in world.session.clone() {
                let mut alone = world.clone();
                alone.session = vec![layer];
                prop_assert!(decide(&alone).is_allowed());
            }
            if !matches!(world.principal, Principal::Federated { .. }) {
                let mut without = world.clone();
                without.session.clear();
                prop_assert!(decide(&without).is_allowed());
            }
        }
    }

    /// INVARIANT (no-widening): nothing that a scoped session may is beyond any of its layers, or beyond the session
    /// that it was made of, whatever a resource policy says.
    #[test]
    fn no_scoped_session_exceeds_a_layer_or_its_parent(world in world()) {
        if decide(&world).is_allowed() && world.principal.account().is_some() {
            for layer in &world.scoped {
                let mut alone = world.clone();
                alone.principal = Principal::Root { account: world.owner };
                (alone.scoped, alone.session) = (Vec::new(), vec![layer.clone()]);
                (alone.attached, alone.scp) = (None, Vec::new());
                let needs_the_resource = ["sts:", "kms:"].iter().any(|service| world.action.starts_with(service));
                prop_assert!(needs_the_resource || decide(&alone).is_allowed(), "{:?}", world);
            }
            let mut parent = world.clone();
            parent.scoped.pop();
            prop_assert!(decide(&parent).is_allowed());
        }
    }

    /// INVARIANT (two-keys): without its owner's word nothing is open to another account.
    #[test]
    fn nothing_crosses_accounts_without_the_owner(world in world()) {
        let mut world = world;
        world.attached = None;
        if world.principal.account().is_some_and(|account| account != world.owner) {
            prop_assert!(!decide(&world).is_allowed());
        }
    }

    #[test]
    fn order_and_duplicates_do_not_matter(world in world(), seed in any::<usize>()) {
        let before = decide(&world);
        let mut turned = world.clone();
        let turn = |documents: &mut Vec<Document>| {
            documents.iter_mut().for_each(|statements| statements.reverse());
            documents.extend(documents.clone());
            let by = seed % documents.len().max(1);
            documents.rotate_left(by);
        };
        turn(&mut turned.identity);
        turned.boundary.iter_mut().for_each(turn);
        turned.session.iter_mut().for_each(turn);
        turned.session.reverse();
        turned.scoped.iter_mut().for_each(turn);
        turned.scoped.reverse();
        turned.scp.iter_mut().for_each(turn);
        turned.scp.reverse();
        turned.rcp.iter_mut().for_each(turn);
        turned.attached.iter_mut().for_each(|statements| {
            statements.reverse();
            statements.extend(statements.clone());
        });
        let after = decide(&turned);
        prop_assert_eq!((before.effect, before.decided_by), (after.effect, after.decided_by));
    }

    #[test]
    fn explaining_is_the_same_evaluation(world in world()) {
        let scene = world.scene();
        prop_assert_eq!(scene.with(explain).decision, scene.decide());
    }

    #[test]
    fn an_allow_and_an_explicit_deny_name_their_statements(world in world()) {
        let decision = decide(&world);
        let unnamed = decision.statements.is_empty();
        match decision.effect {
            DecisionEffect::ImplicitlyDenied => prop_assert!(unnamed),
            DecisionEffect::ExplicitlyDenied => prop_assert!(!unnamed),
            DecisionEffect::Allowed => {
                let root = matches!(world.principal, Principal::Root { .. });
                prop_assert!(!unnamed || root);
            }
        }
    }
}
