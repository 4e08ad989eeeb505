//! Where a session comes from: the sessions above it, and whose they are, which its token names.

use daypass_authn::token::{PrincipalAbove, SessionClaims};
use daypass_directory::{Identity, Operation, Principal, Session};
use daypass_model::limits::SESSION_ANCESTRY_MAX;
use daypass_model::{AccountId, SessionId};

use crate::error::Error;
use crate::house::House;

/// Where a new session comes from.
pub(crate) struct Lineage {
    /// Its id.
    pub(crate) id: SessionId,
    /// The ids above it, the root identity's session first.
    pub(crate) ancestry: Vec<SessionId>,
    /// When those end.
    pub(crate) ends: Vec<i64>,
}

/// The lineage of a new session that acts in `account`.
///
/// AWS does not limit how long a chain gets: a worker may renew itself for ever by assuming its own role. Of a long
/// chain the token leaves out what is over, but never the first: its size is bounded, and where it began stays known.
///
/// INVARIANT (living-ancestors): whatever lives above a session stands in its token. Otherwise the thief of a session
/// would make its chain so long that the revocation of that session no longer reaches what it issued.
///
/// # Errors
/// As many sessions as a token holds are above it, and all of them live.
pub(crate) fn lineage(
    op: &Operation,
    house: &House,
    account: AccountId,
    parent: Option<&Session>,
) -> Result<Lineage, Error> {
    let id = SessionId::generate(account, house.directory.random());
    let Some(SessionClaims { ancestry, ancestry_ends, session_id, expires_at, .. }) =
        parent.map(|parent| &parent.claims)
    else {
        return Ok(Lineage { id, ancestry: Vec::new(), ends: Vec::new() });
    };
    let (mut ancestry, mut ends) = (ancestry.clone(), ancestry_ends.clone());
    // Credentials of a session of the console have its id, and end before it.
    let of_console = house.directory.snapshot().console_session(*session_id).map(|kept| kept.record.expires);
    ancestry.push(*session_id);
    ends.push(of_console.map_or(*expires_at, |expires| expires.max(*expires_at)));
    if ancestry.len() >= SESSION_ANCESTRY_MAX {
        let now = op.now.as_second();
        let over = ends.iter().enumerate().skip(1).find(|(_, end)| **end <= now);
        let (at, _) = over.ok_or_else(chain_too_long)?;
        ancestry.remove(at);
        ends.remove(at);
    }
    Ok(Lineage { id, ancestry, ends })
}

/// The claims of the same session a step further down, that ends then. The time of issue stays: a Deny or a revocation of the
/// sessions before a moment means this one with them.
///
/// # Errors
/// As [`lineage`].
pub(crate) fn descendant(
    op: &Operation,
    house: &House,
    session: &Session,
    expires_at: i64,
) -> Result<SessionClaims, Error> {
    let Lineage { id, ancestry, ends } = lineage(op, house, session.claims.account, Some(session))?;
    let claims = session.claims.clone();
    Ok(SessionClaims { session_id: id, ancestry, ancestry_ends: ends, expires_at, ..claims })
}

/// Whose sessions and keys a new session comes from that `who` asks for: whose it is (account, unique id), and when it is issued.
/// None of a chain is left out, so that whoever's sessions end with what they issued, all of it does.
///
/// # Errors
/// Sessions of as many users and roles as a token holds are above it.
pub(crate) fn principals_above(
    who: &Principal,
    of: (AccountId, &str, i64),
) -> Result<Vec<PrincipalAbove>, Error> {
    let (account, id, issued_at) = of;
    let mut all =
        who.session.as_ref().map_or_else(Vec::new, |session| session.claims.principals_above.clone());
    if let Some(asker) = asker(who, issued_at) {
        match all.iter_mut().find(|known| (known.account, &known.id) == (asker.account, &asker.id)) {
            Some(known) => known.since = known.since.min(asker.since),
            None => all.push(asker),
        }
    }
    // Its own account, id and time of issue say as much.
    all.retain(|above| (above.account, above.id.as_str()) != (account, id) || above.since < issued_at);
    if all.len() > SESSION_ANCESTRY_MAX {
        return Err(Error::limit_exceeded(format!(
            "Cannot exceed quota for PrincipalsPerChain: {SESSION_ANCESTRY_MAX}. Use a session nearer to the beginning of the chain."
        )));
    }
    Ok(all)
}

/// Who asks, and since when its session is one of its own; of long-term keys, now. Nobody of this house, where a provider vouches.
fn asker(who: &Principal, now: i64) -> Option<PrincipalAbove> {
    if let Some(session) = &who.session {
        let SessionClaims { account, principal_id, issued_at, .. } = &session.claims;
        return Some(PrincipalAbove { account: *account, id: principal_id.clone(), since: *issued_at });
    }
    let id = match &who.identity {
        Identity::User(user) => user.record.id.to_string(),
        Identity::Root => who.account.to_string(),
        Identity::Role(_) | Identity::Federated(_) | Identity::Vouched(_) => return None,
    };
    Some(PrincipalAbove { account: who.account, id, since: now })
}

fn chain_too_long() -> Error {
    Error::limit_exceeded(format!(
        "Cannot exceed quota for LivingSessionsPerChain: {SESSION_ANCESTRY_MAX}. Use a session nearer to the beginning of the chain, or wait until one of it ends."
    ))
}
