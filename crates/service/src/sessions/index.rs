//! The entries of the log in memory, in the orders that lists need. Bounded in number, and each look is bounded in how
//! much it looks at: a page may come back short, with the place to go on from.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use daypass_model::{AccountId, SessionId};

use super::entry::SessionEntry;

/// Entries that one call looks at, however few of them it is after.
pub const LOOKED_AT_MAX: usize = 10_000;

/// Where an entry stands: by time of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64, pub SessionId);

impl Position {
    /// As a marker keeps it.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{} {}", self.0, self.1)
    }

    /// The same back.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (at, id) = text.split_once(' ')?;
        Some(Self(at.parse().ok()?, id.parse().ok()?))
    }
}

/// See the module.
pub struct SessionIndex {
    sessions_max: usize,
    all: BTreeMap<Position, Arc<SessionEntry>>,
    positions: HashMap<SessionId, Position>,
    of_account: HashMap<AccountId, BTreeSet<Position>>,
    /// Under the session that asked.
    issued_by: HashMap<SessionId, BTreeSet<Position>>,
    by_end: BTreeSet<(i64, Position)>,
    /// The same for each user, role or root.
    of_principal: HashMap<Principal, BTreeSet<(i64, Position)>>,
    /// How many sessions each of them has: whoever has most gives way.
    shares: BTreeSet<(usize, Principal)>,
    /// The latest end among those that were dropped.
    dropped_until: i64,
}

/// A user, role or root: account and unique id.
type Principal = (AccountId, Arc<str>);

/// One look.
#[derive(Debug, Default)]
pub struct Found {
    /// The newest first.
    pub entries: Vec<Arc<SessionEntry>>,
    /// The last one looked at, where more may follow.
    pub go_on_after: Option<Position>,
    /// How many were looked at.
    pub looked_at: usize,
}

impl SessionIndex {
    /// Nothing yet, and never more than so many sessions.
    #[must_use]
    pub fn new(sessions_max: usize) -> Self {
        Self {
            sessions_max,
            all: BTreeMap::new(),
            positions: HashMap::new(),
            of_account: HashMap::new(),
            issued_by: HashMap::new(),
            by_end: BTreeSet::new(),
            of_principal: HashMap::new(),
            shares: BTreeSet::new(),
            dropped_until: i64::MIN,
        }
    }

    /// How many sessions it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a session that was dropped for others may live still.
    pub(super) fn has_dropped_live(&self, now: i64) -> bool {
        self.dropped_until > now
    }

    /// Take a session in. When there is no more room, in the place of one that is over; where none is, of the one that
    /// ends first of whoever has most: nobody hides the sessions of others behind a flood of their own.
    pub fn insert(&mut self, entry: SessionEntry) {
        let position = Position(entry.at, entry.id);
        if self.positions.contains_key(&entry.id) {
            return;
        }
        self.positions.insert(entry.id, position);
        self.of_account.entry(entry.account).or_default().insert(position);
        if let Some(parent) = entry.parent() {
            self.issued_by.entry(parent).or_default().insert(position);
        }
        self.by_end.insert((entry.expires_at, position));
        self.share(&entry, |sessions| _ = sessions.insert((entry.expires_at, position)));
        let now = entry.at;
        self.all.insert(position, Arc::new(entry));
        while self.all.len() > self.sessions_max {
            self.make_room(now);
        }
    }

    /// Change what a principal has, and its place among the others with it.
    fn share(&mut self, of: &SessionEntry, change: impl FnOnce(&mut BTreeSet<(i64, Position)>)) {
        let principal: Principal = (of.account, of.principal_id.as_str().into());
        let sessions = self.of_principal.entry(principal.clone()).or_default();
        self.shares.remove(&(sessions.len(), principal.clone()));
        change(sessions);
        if sessions.is_empty() {
            self.of_principal.remove(&principal);
        } else {
            self.shares.insert((sessions.len(), principal));
        }
    }

    fn make_room(&mut self, now: i64) {
        let over = self.by_end.first().copied().filter(|(end, _)| *end <= now);
        let of_most = || self.of_principal.get(&self.shares.last()?.1)?.first().copied();
        let Some((end, position)) = over.or_else(of_most) else { return };
        self.by_end.remove(&(end, position));
        self.dropped_until = self.dropped_until.max(end);
        let Some(entry) = self.all.remove(&position) else { return };
        self.share(&entry, |sessions| _ = sessions.remove(&(end, position)));
        self.positions.remove(&entry.id);
        take_out(&mut self.of_account, &entry.account, position);
        if let Some(parent) = entry.parent() {
            take_out(&mut self.issued_by, &parent, position);
        }
    }

    /// When the newest session of a user, role or root was issued, if not before `since`; by what it is told of those that
    /// descend from them, too.
    #[must_use]
    pub fn newest_since(&self, account: AccountId, principal_id: &str, since: i64) -> Option<i64> {
        let newer = self.all.range(Position(since, SessionId([0; 16]))..);
        let issued = newer.flat_map(|(position, entry)| {
            let own = (entry.account == account && entry.principal_id == principal_id).then_some(position.0);
            let above = entry.principals_above.iter();
            let above = above.filter(|above| above.account == account && above.id == principal_id);
            own.into_iter().chain(above.map(|above| above.since))
        });
        issued.filter(|issued| *issued >= since).max()
    }

    /// A session by its id.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Arc<SessionEntry>> {
        self.all.get(self.positions.get(&id)?)
    }

    /// Sessions of an account, or of all, that are after `after` and such as `wanted` says.
    #[must_use]
    pub fn search(
        &self,
        account: Option<AccountId>,
        after: Option<Position>,
        limit: usize,
        wanted: impl Fn(&SessionEntry) -> bool,
    ) -> Found {
        match account {
            None => self.look(self.all.range(before(after)).map(|(position, _)| position), limit, wanted),
            Some(account) => match self.of_account.get(&account) {
                Some(positions) => self.look(positions.range(before(after)), limit, wanted),
                None => Found::default(),
            },
        }
    }

    /// Sessions that a session asked for itself, after `after`.
    #[must_use]
    pub fn issued_by(&self, id: SessionId, after: Option<Position>, limit: usize) -> Found {
        let positions = self.issued_by.get(&id);
        let look =
            |positions: &BTreeSet<Position>| self.look(positions.range(before(after)), limit, |_| true);
        positions.map_or_else(Found::default, look)
    }

    fn look<'a>(
        &'a self,
        positions: impl DoubleEndedIterator<Item = &'a Position>,
        limit: usize,
        wanted: impl Fn(&SessionEntry) -> bool,
    ) -> Found {
        let mut found = Found::default();
        let mut rest = positions.rev();
        let mut last = None;
        for position in rest.by_ref() {
            found.looked_at += 1;
            last = Some(*position);
            if let Some(entry) = self.all.get(position).filter(|entry| wanted(entry)) {
                found.entries.push(entry.clone());
            }
            if found.entries.len() == limit || found.looked_at == LOOKED_AT_MAX {
                break;
            }
        }
        found.go_on_after = last.filter(|_| rest.next().is_some());
        found
    }
}

/// The newest come first, so what follows a position lies before it.
fn before(after: Option<Position>) -> (Bound<Position>, Bound<Position>) {
    (Bound::Unbounded, after.map_or(Bound::Unbounded, Bound::Excluded))
}

fn take_out<K: Eq + std::hash::Hash>(map: &mut HashMap<K, BTreeSet<Position>>, key: &K, position: Position) {
    if let Some(positions) = map.get_mut(key) {
        positions.remove(&position);
        if positions.is_empty() {
            map.remove(key);
        }
    }
}
