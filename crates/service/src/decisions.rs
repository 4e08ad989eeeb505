//! The last decisions of this node, so that people can ask why: by request id, for some hours.
//!
//! In memory and bounded: what nobody asked about is forgotten, and nothing waits for it. A denial is explained at once,
//! from the same view and facts; of an allow the statements that granted are kept.
//!
//! Of a decision between two accounts each keeps its own side. What callers of other accounts bring about has room of its
//! own: nobody pushes out what an account's own people did, and a number that is no account's keeps nothing.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use daypass_directory::{Check, Facts};
use daypass_model::AccountId;
use daypass_policy::{
    Decision, DecisionEffect, Determining, Effect, Explanation, Outcome, PolicyType, StatementReport,
};

use crate::why::{Why, belongs_to_owner, crosses, speaking};

/// Hours that a decision is kept, unless somebody says otherwise.
pub const DECISION_LOG_HOURS: u32 = 24;
/// Bytes of the decisions of one account, about: no tenant pushes out what others did.
const ACCOUNT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of all decisions, about.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The share of both that is for decisions about callers of other accounts: one part of so many.
const FOREIGN_SHARE: usize = 8;
/// Statements that are kept of one decision.
const STATEMENTS_MAX: usize = 100;

/// Decisions among which an earlier one of the same call is looked for.
const RECENT: usize = 64;

/// One decision, as it is kept for one account.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) at: i64,
    pub(crate) request_id: String,
    pub(crate) principal_arn: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) effect: DecisionEffect,
    /// `None`: a kind of policy of the other account.
    pub(crate) decided_by: Option<PolicyType>,
    pub(crate) determining: Vec<Determining<'static>>,
    /// Of a denial: what every statement that speaks of the action said.
    pub(crate) statements: Vec<StatementReport>,
    /// Whether there were more of those than are kept.
    pub(crate) more: bool,
    /// Whether the resource is another account's than the caller: no values are kept then.
    pub(crate) across: bool,
}

/// The decisions of this node.
pub struct DecisionLog(Mutex<Logs>);

struct Logs {
    /// How long a decision is kept.
    seconds: i64,
    /// About callers of the account itself.
    own: Pool,
    /// About callers of other accounts, for the owner of the resource.
    foreign: Pool,
}

/// Decisions of all accounts, within bounds.
struct Pool {
    accounts: HashMap<AccountId, Log>,
    /// The same by bytes: who keeps most is the last.
    by_bytes: BTreeSet<(usize, AccountId)>,
    bytes: usize,
    account_bytes_max: usize,
    bytes_max: usize,
}

impl Default for DecisionLog {
    fn default() -> Self {
        Self::new(DECISION_LOG_HOURS)
    }
}

#[derive(Default)]
struct Log {
    entries: VecDeque<Arc<Kept>>,
    bytes: usize,
}

impl DecisionLog {
    /// One that keeps decisions for so many hours.
    #[must_use]
    pub fn new(hours: u32) -> Self {
        let (account, all) = (ACCOUNT_BYTES_MAX / FOREIGN_SHARE, BYTES_MAX / FOREIGN_SHARE);
        Self(Mutex::new(Logs {
            seconds: i64::from(hours) * 3600,
            own: Pool::new(ACCOUNT_BYTES_MAX - account, BYTES_MAX - all),
            foreign: Pool::new(account, all),
        }))
    }

    /// Of how many accounts decisions are kept.
    #[must_use]
    pub fn accounts(&self) -> usize {
        let logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |pool: &Pool| pool.accounts.keys().copied().collect::<BTreeSet<_>>();
        of(&logs.own).union(&of(&logs.foreign)).count()
    }

    /// Keep a decision for the account of who asked and for that of the resource, each its own side; of a denial also
    /// `why`.
    pub(crate) fn note(
        &self,
        facts: Facts<'_>,
        check: &Check,
        decision: &Decision<'static>,
        why: Option<&Why>,
    ) {
        let callers = Arc::new(Kept::for_caller(facts, check, decision, why));
        // Whose a resource is, its ARN says, and a caller can write any number there.
        let is_foreign = crosses(facts, check) && facts.view.is_account(check.owner);
        let owners = is_foreign.then(|| Arc::new(Kept::for_owner(facts, check, decision, why)));
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = logs.seconds;
        logs.own.add(facts.principal.account, callers, seconds);
        if let Some(owners) = owners {
            logs.foreign.add(check.owner, owners, seconds);
        }
    }

    /// Keep a decision about a service that asked for a role, for the role's account. Who speaks for it may be of another account:
    /// what comes from elsewhere pushes out none of an account's own decisions.
    pub(crate) fn note_of_service(
        &self,
        facts: Facts<'_>,
        check: &Check,
        decision: &Decision<'static>,
        why: Option<&Why>,
        speaker: AccountId,
    ) {
        let account = facts.principal.account;
        if !facts.view.is_account(account) {
            return;
        }
        let kept = Arc::new(Kept::for_caller(facts, check, decision, why));
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = logs.seconds;
        let pool = if speaker == account { &mut logs.own } else { &mut logs.foreign };
        pool.add(account, kept, seconds);
    }

    /// The decisions of a request that an account may know of, in the order in which they were made.
    pub(crate) fn of_request(&self, account: AccountId, request_id: &str, now: i64) -> Vec<Arc<Kept>> {
        let logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = [&logs.own, &logs.foreign].into_iter();
        let entries = pools.filter_map(|pool| pool.accounts.get(&account)).flat_map(|log| log.entries.iter());
        let fresh = entries.filter(|kept| now - kept.at < logs.seconds);
        fresh.filter(|kept| kept.request_id == request_id).cloned().collect()
    }
}

impl Pool {
    fn new(account_bytes_max: usize, bytes_max: usize) -> Self {
        Self { accounts: HashMap::new(), by_bytes: BTreeSet::new(), bytes: 0, account_bytes_max, bytes_max }
    }

    fn add(&mut self, account: AccountId, kept: Arc<Kept>, seconds: i64) {
        let (now, most) = (kept.at, self.account_bytes_max);
        self.change(account, |log| {
            log.forget_same(&kept);
            log.bytes += kept.bytes();
            log.entries.push_back(kept);
            let old = |log: &Log| log.entries.front().is_some_and(|first| now - first.at >= seconds);
            while log.bytes > most || old(log) {
                log.drop_oldest();
            }
        });
        while self.bytes > self.bytes_max {
            // Whoever keeps most gives up its oldest.
            let Some(&(_, account)) = self.by_bytes.last() else { return };
            self.change(account, Log::drop_oldest);
        }
    }

    /// Change what is kept of an account, and the sums with it.
    fn change(&mut self, account: AccountId, change: impl FnOnce(&mut Log)) {
        let log = self.accounts.entry(account).or_default();
        let before = log.bytes;
        change(log);
        let (after, is_empty) = (log.bytes, log.entries.is_empty());
        self.bytes = self.bytes + after - before;
        self.by_bytes.remove(&(before, account));
        if is_empty {
            self.accounts.remove(&account);
        } else {
            self.by_bytes.insert((after, account));
        }
    }
}

impl Log {
    /// A call whose commit was in another's way is decided again: the last decision is the one that counted.
    fn forget_same(&mut self, kept: &Kept) {
        let same = |old: &Arc<Kept>| {
            old.request_id == kept.request_id && old.action == kept.action && old.resource == kept.resource
        };
        let place = self.entries.iter().rev().take(RECENT).position(same);
        let place = place.and_then(|from_end| self.entries.len().checked_sub(from_end + 1));
        if let Some(old) = place.and_then(|place| self.entries.remove(place)) {
            self.bytes = self.bytes.saturating_sub(old.bytes());
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }
}

impl Kept {
    /// What the caller's account is told. A denial across accounts looks the same whether the resource is there or not.
    fn for_caller(facts: Facts<'_>, check: &Check, decision: &Decision<'static>, why: Option<&Why>) -> Self {
        let across = crosses(facts, check);
        let why = why.map(|why| &why.callers().explanation);
        let decision = why.filter(|_| across).map_or(decision, |why| &why.decision);
        let ours = |kind| !(across && belongs_to_owner(kind));
        Self::new(facts, check, (decision, decision.effect), why, ours)
    }

    /// What the account of the resource is told of another's caller.
    fn for_owner(facts: Facts<'_>, check: &Check, decision: &Decision<'static>, why: Option<&Why>) -> Self {
        // A Deny of the caller's own side is none of the owner's.
        let is_denied_here = decision
            .statements
            .iter()
            .any(|found| found.effect == Effect::Deny && belongs_to_owner(found.policy_type));
        let effect = match decision.effect {
            DecisionEffect::ExplicitlyDenied if !is_denied_here => DecisionEffect::ImplicitlyDenied,
            effect => effect,
        };
        let why = why.map(|why| &why.whole.explanation);
        Self::new(facts, check, (decision, effect), why, belongs_to_owner)
    }

    fn new(
        facts: Facts<'_>,
        check: &Check,
        (decision, effect): (&Decision<'static>, DecisionEffect),
        why: Option<&Explanation>,
        ours: impl Fn(PolicyType) -> bool,
    ) -> Self {
        let across = crosses(facts, check);
        let mut determining = decision.statements.iter().filter(|found| ours(found.policy_type));
        let mut speaking = why.into_iter().flat_map(speaking).filter(|report| ours(report.policy_type));
        let told = |report: &StatementReport| StatementReport {
            outcome: match &report.outcome {
                Outcome::ConditionMismatch { operator, key, .. } if across => {
                    // Nor how many values there are.
                    let (operator, key) = (operator.clone(), key.clone());
                    Outcome::ConditionMismatch { operator, key, values: None, unqualified: false }
                }
                outcome => outcome.clone(),
            },
            ..report.clone()
        };
        Self {
            at: facts.op.now.as_second(),
            request_id: facts.op.request_id.clone(),
            principal_arn: facts.principal.arn.clone(),
            action: check.action.clone(),
            resource: check.resource.clone(),
            effect,
            decided_by: Some(decision.decided_by).filter(|kind| ours(*kind)),
            determining: determining.by_ref().take(STATEMENTS_MAX).cloned().collect(),
            statements: speaking.by_ref().take(STATEMENTS_MAX).map(told).collect(),
            more: determining.next().is_some() || speaking.next().is_some(),
            across,
        }
    }

    /// What it takes in memory, about.
    fn bytes(&self) -> usize {
        let of_report = |report: &StatementReport| {
            let condition = match &report.outcome {
                Outcome::ConditionMismatch { operator, key, values, .. } => {
                    operator.len()
                        + key.len()
                        + values.iter().flatten().map(|value| value.len() + 24).sum::<usize>()
                }
                _ => 0,
            };
            160 + report.policy.len() + report.sid.as_ref().map_or(0, String::len) + condition
        };
        let determining =
            |found: &Determining<'_>| 96 + found.policy.len() + found.sid.as_ref().map_or(0, |sid| sid.len());
        256 + self.request_id.len()
            + self.principal_arn.len()
            + self.action.len()
            + self.resource.len()
            + self.determining.iter().map(determining).sum::<usize>()
            + self.statements.iter().map(of_report).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(account: &str, request_id: &str, decided_by: PolicyType) -> Arc<Kept> {
        Arc::new(Kept {
            at: 1_768_478_400,
            request_id: request_id.into(),
            principal_arn: format!("arn:aws:iam::{account}:root"),
            action: "iam:GetUser".into(),
            resource: "x".repeat(1000),
            effect: DecisionEffect::ImplicitlyDenied,
            decided_by: Some(decided_by),
            determining: Vec::new(),
            statements: Vec::new(),
            more: false,
            across: false,
        })
    }

    const DAY: i64 = 24 * 3600;

    fn empty() -> Pool {
        DecisionLog::default().0.into_inner().unwrap().own
    }

    fn counts(pool: &Pool) -> Vec<usize> {
        let mut all: Vec<usize> = pool.accounts.values().map(|log| log.entries.len()).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn of_a_call_that_is_decided_again_the_last_decision_is_kept() {
        let mut pool = empty();
        let account = "111122223333".parse().unwrap();
        for (id, kind) in
            [("a", PolicyType::Identity), ("b", PolicyType::Identity), ("a", PolicyType::Boundary)]
        {
            pool.add(account, kept("111122223333", id, kind), DAY);
        }
        let log = &pool.accounts[&account];
        let told: Vec<_> =
            log.entries.iter().map(|kept| (kept.request_id.as_str(), kept.decided_by)).collect();
        assert_eq!(told, [("b", Some(PolicyType::Identity)), ("a", Some(PolicyType::Boundary))]);
        assert_eq!(log.bytes, log.entries.iter().map(|kept| kept.bytes()).sum::<usize>());
        assert_eq!(pool.bytes, log.bytes);
    }

    #[test]
    fn a_decision_is_kept_for_the_hours_that_were_asked_for() {
        let account: AccountId = "111122223333".parse().unwrap();
        for (hours, after, found) in [(1, 3599, 1), (1, 3600, 0), (24, 86_399, 1), (24, 86_400, 0)] {
            let log = DecisionLog::new(hours);
            let kept = kept("111122223333", "a", PolicyType::Identity);
            let now = kept.at + after;
            log.0.lock().unwrap().own.add(account, kept, i64::from(hours) * 3600);
            assert_eq!(
                log.of_request(account, "a", now).len(),
                found,
                "{hours} hours, {after} seconds after"
            );
        }
    }

    #[test]
    fn memory_is_bounded_for_each_account_and_in_all() {
        let mut pool = empty();
        let one = kept("111122223333", "0", PolicyType::Identity).bytes();
        let most = pool.account_bytes_max / one;
        for account in 0..40 {
            let account = format!("{:012}", 111_122_223_333_u64 + account);
            for n in 0..2 * most {
                pool.add(account.parse().unwrap(), kept(&account, &n.to_string(), PolicyType::Identity), DAY);
            }
        }
        let bytes_max = pool.bytes_max;
        assert!(pool.bytes <= bytes_max && pool.bytes > bytes_max - 2 * one, "{}", pool.bytes);
        assert_eq!(pool.bytes, pool.accounts.values().map(|log| log.bytes).sum::<usize>());
        let by_bytes: BTreeSet<_> = pool.accounts.iter().map(|(id, log)| (log.bytes, *id)).collect();
        assert_eq!(pool.by_bytes, by_bytes);
        let counts = counts(&pool);
        assert!(counts.iter().all(|count| (1..=most).contains(count)), "{counts:?}");
        // Whoever keeps most gives way: nobody is left with much less than others.
        assert!(counts.first().unwrap() + 2 >= *counts.last().unwrap(), "{counts:?}");
    }

    #[test]
    fn what_others_bring_about_is_a_small_part_of_all() {
        let logs = DecisionLog::default().0.into_inner().unwrap();
        assert_eq!(logs.own.account_bytes_max + logs.foreign.account_bytes_max, ACCOUNT_BYTES_MAX);
        assert_eq!(logs.own.bytes_max + logs.foreign.bytes_max, BYTES_MAX);
        assert!(logs.own.bytes_max > 6 * logs.foreign.bytes_max);
    }

    #[test]
    fn an_account_of_which_nothing_is_kept_any_more_takes_no_room() {
        let mut pool = empty();
        let account = "111122223333".parse().unwrap();
        pool.add(account, kept("111122223333", "a", PolicyType::Identity), DAY);
        pool.change(account, Log::drop_oldest);
        assert!(pool.accounts.is_empty() && pool.by_bytes.is_empty() && pool.bytes == 0);
        // What alone is too much is not kept at all.
        let huge = Kept {
            resource: "x".repeat(pool.account_bytes_max),
            ..Arc::into_inner(kept("1", "b", PolicyType::Identity)).unwrap()
        };
        pool.add(account, Arc::new(huge), DAY);
        assert!(pool.accounts.is_empty() && pool.by_bytes.is_empty() && pool.bytes == 0);
    }
}
