//! The compact form of session claims: tag, length, value.
//!
//! ```text
//! claims  = field* 0 zero*            tags ascend, each at most once; the rest is padding
//! field   = tag | length | value      tag and length are varints (LEB128)
//! tag     = number << 1 | critical    an unknown critical field refuses the token, an unknown other is skipped
//! text    = length | UTF-8            list = count | item*
//! ```
//!
//! The fields up to 16, the 20th and the 21st are critical: each says who the session is or what it may do. The others decide
//! nothing that a reader who skips them would decide otherwise: one counts layers that are there in any case, the
//! others are looked at where the operator asked for it.

use daypass_model::limits::{SESSION_ANCESTRY_MAX, SESSION_SECONDS_MAX};
use daypass_model::{AccessKeyId, AccountId, SessionId, Tag};

use super::claims::{PrincipalAbove, SessionClaims, SessionKind, SessionLayer};
use super::pack::{INFLATED_MAX, put_block, take_block};
use super::wire::{Malformed, Reader, put_bytes, put_field, put_texts, put_varint, unzigzag, varint, zigzag};

const END: u64 = 0;
const SESSION_ID: u64 = critical(1);
const ANCESTRY: u64 = critical(2);
const KIND: u64 = critical(3);
const ACCOUNT: u64 = critical(4);
const PRINCIPAL_ID: u64 = critical(5);
const PRINCIPAL_ARN: u64 = critical(6);
const SESSION_NAME: u64 = critical(7);
const ISSUED_AT: u64 = critical(8);
const LIFETIME: u64 = critical(9);
const LAYERS: u64 = critical(10);
const TAGS: u64 = critical(11);
const TRANSITIVE: u64 = critical(12);
const SOURCE_IDENTITY: u64 = critical(13);
const MFA: u64 = critical(14);
const FEDERATION: u64 = critical(15);
const CHAINED: u64 = critical(16);
const SCOPED_LAYERS: u64 = 17 << 1;
const FIRST_KEY: u64 = 18 << 1;
const ANCESTRY_ENDS: u64 = 19 << 1;
const CONSOLE: u64 = critical(20);
const PRINCIPALS_ABOVE: u64 = critical(21);

const fn critical(number: u64) -> u64 {
    number << 1 | 1
}

/// Most layers of session policies in one token.
pub(super) const LAYERS_MAX: usize = 8;
/// Most session ids before the session's own.
pub(super) const ANCESTORS_MAX: usize = SESSION_ANCESTRY_MAX - 1;
/// Most users, roles and root users whose sessions and keys are above.
pub(super) const PRINCIPALS_MAX: usize = SESSION_ANCESTRY_MAX;

/// Claims in compact form, without padding, and what of them the caller's policies and tags take.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) policy_bytes: usize,
    pub(super) tag_bytes: usize,
}

/// Claims → bytes. The ancestry and layers must be within bounds (the sealer sees to it).
pub(super) fn encode(claims: &SessionClaims) -> Encoded {
    let mut out = Vec::with_capacity(512);
    put_field(&mut out, SESSION_ID, &claims.session_id.0);
    if !claims.ancestry.is_empty() {
        let ids: Vec<u8> = claims.ancestry.iter().flat_map(|id| id.0).collect();
        put_field(&mut out, ANCESTRY, &ids);
    }
    put_field(&mut out, KIND, &[kind_number(claims.kind)]);
    put_field(&mut out, ACCOUNT, &varint(claims.account.number()));
    put_field(&mut out, PRINCIPAL_ID, claims.principal_id.as_bytes());
    put_field(&mut out, PRINCIPAL_ARN, &encode_arn(claims));
    if !claims.session_name.is_empty() {
        put_field(&mut out, SESSION_NAME, claims.session_name.as_bytes());
    }
    put_field(&mut out, ISSUED_AT, &varint(zigzag(claims.issued_at)));
    put_field(&mut out, LIFETIME, &varint(zigzag(claims.expires_at.saturating_sub(claims.issued_at))));

    let before = out.len();
    if !claims.layers.is_empty() {
        put_field(&mut out, LAYERS, &encode_layers(&claims.layers));
    }
    let policy_bytes = out.len() - before;
    let before = out.len();
    put_tags(&mut out, claims);
    let tag_bytes = out.len() - before;

    if let Some(identity) = &claims.source_identity {
        put_field(&mut out, SOURCE_IDENTITY, identity.as_bytes());
    }
    if let Some(time) = claims.mfa_authenticated_at {
        put_field(&mut out, MFA, &varint(zigzag(time)));
    }
    if !claims.federation.is_empty() {
        let mut list = varint(claims.federation.len() as u64);
        for (key, values) in &claims.federation {
            put_bytes(&mut list, key.as_bytes());
            put_texts(&mut list, values);
        }
        put_field(&mut out, FEDERATION, &list);
    }
    if claims.chained {
        put_field(&mut out, CHAINED, &[]);
    }
    if claims.scoped_layers > 0 {
        put_field(&mut out, SCOPED_LAYERS, &varint(claims.scoped_layers as u64));
    }
    if let Some(key) = &claims.first_key {
        put_field(&mut out, FIRST_KEY, key.as_str().as_bytes());
    }
    if !claims.ancestry_ends.is_empty() {
        let ends = claims.ancestry_ends.iter().flat_map(|end| varint(zigzag(*end)));
        put_field(&mut out, ANCESTRY_ENDS, &ends.collect::<Vec<u8>>());
    }
    if let Some(id) = claims.console {
        put_field(&mut out, CONSOLE, &id.0);
    }
    if !claims.principals_above.is_empty() {
        put_field(&mut out, PRINCIPALS_ABOVE, &encode_principals(&claims.principals_above));
    }
    Encoded { bytes: out, policy_bytes, tag_bytes }
}

/// Bytes → claims; padding may follow.
pub(super) fn decode(bytes: &[u8]) -> Result<SessionClaims, Malformed> {
    let mut fields = Reader::new(bytes);
    let mut draft = Draft { budget: INFLATED_MAX, ..Draft::default() };
    let mut last = END;
    while !fields.is_empty() {
        let tag = fields.varint()?;
        if tag == END {
            // INVARIANT (one-form): nothing can hide behind the end.
            if fields.rest.iter().any(|&byte| byte != 0) {
                return Err(Malformed);
            }
            break;
        }
        if tag <= last {
            return Err(Malformed);
        }
        last = tag;
        let value = fields.bytes()?;
        draft.read(tag, &mut Reader::new(value))?;
    }
    draft.finish()
}

/// Claims while they are read.
#[derive(Default)]
struct Draft {
    session_id: Option<SessionId>,
    ancestry: Vec<SessionId>,
    ancestry_ends: Vec<i64>,
    kind: Option<SessionKind>,
    account: Option<AccountId>,
    principal_id: Option<String>,
    principal_arn: Option<String>,
    session_name: String,
    issued_at: Option<i64>,
    lifetime: Option<i64>,
    layers: Vec<SessionLayer>,
    tags: Vec<Tag>,
    transitive_tag_keys: Vec<String>,
    source_identity: Option<String>,
    mfa_authenticated_at: Option<i64>,
    federation: Vec<(String, Vec<String>)>,
    chained: bool,
    scoped_layers: usize,
    first_key: Option<AccessKeyId>,
    console: Option<SessionId>,
    principals_above: Vec<PrincipalAbove>,
    /// Bytes that may still be inflated.
    budget: usize,
}

impl Draft {
    fn read(&mut self, tag: u64, value: &mut Reader<'_>) -> Result<(), Malformed> {
        match tag {
            SESSION_ID => self.session_id = Some(SessionId(value.array()?)),
            ANCESTRY => self.ancestry = decode_ancestry(value)?,
            KIND => self.kind = Some(kind_of(value.byte()?)?),
            ACCOUNT => self.account = Some(AccountId::from_number(value.varint()?).ok_or(Malformed)?),
            PRINCIPAL_ID => self.principal_id = Some(value.text_to_end()?),
            PRINCIPAL_ARN => {
                let short = value.byte()?;
                let text = value.text_to_end()?;
                self.principal_arn = Some(decode_arn(short, text, self.account)?);
            }
            SESSION_NAME => self.session_name = value.text_to_end()?,
            ISSUED_AT => self.issued_at = Some(unzigzag(value.varint()?)),
            LIFETIME => self.lifetime = Some(unzigzag(value.varint()?)),
            LAYERS => self.layers = decode_layers(value, &mut self.budget)?,
            TAGS => self.tags = decode_tags(value, &mut self.budget)?,
            TRANSITIVE => self.transitive_tag_keys = decode_transitive(value, &self.tags)?,
            SOURCE_IDENTITY => self.source_identity = Some(value.text_to_end()?),
            MFA => self.mfa_authenticated_at = Some(unzigzag(value.varint()?)),
            FEDERATION => {
                self.federation = value.list(|item| Ok((item.text()?, item.list(Reader::text)?)))?;
            }
            CHAINED => self.chained = true,
            SCOPED_LAYERS => {
                let count = usize::try_from(value.varint()?).map_err(|_| Malformed)?;
                self.scoped_layers =
                    Some(count).filter(|count| *count <= self.layers.len()).ok_or(Malformed)?;
            }
            FIRST_KEY => self.first_key = Some(value.text_to_end()?.parse().map_err(|_| Malformed)?),
            ANCESTRY_ENDS => {
                while !value.is_empty() {
                    self.ancestry_ends.push(unzigzag(value.varint()?));
                }
            }
            CONSOLE => self.console = Some(SessionId(value.array()?)),
            PRINCIPALS_ABOVE => self.principals_above = decode_principals(value)?,
            unknown if unknown & 1 == 0 => return Ok(()),
            _ => return Err(Malformed),
        }
        if value.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn finish(mut self) -> Result<SessionClaims, Malformed> {
        let issued_at = self.issued_at.ok_or(Malformed)?;
        if self.ancestry_ends.is_empty() {
            // As of a token from before they were noted: as late as can be.
            let latest = issued_at.saturating_add(SESSION_SECONDS_MAX);
            self.ancestry_ends = vec![latest; self.ancestry.len()];
        }
        if self.ancestry_ends.len() != self.ancestry.len() {
            return Err(Malformed);
        }
        Ok(SessionClaims {
            session_id: self.session_id.ok_or(Malformed)?,
            ancestry: self.ancestry,
            ancestry_ends: self.ancestry_ends,
            kind: self.kind.ok_or(Malformed)?,
            account: self.account.ok_or(Malformed)?,
            principal_id: self.principal_id.ok_or(Malformed)?,
            principal_arn: self.principal_arn.ok_or(Malformed)?,
            session_name: self.session_name,
            issued_at,
            expires_at: issued_at.checked_add(self.lifetime.ok_or(Malformed)?).ok_or(Malformed)?,
            layers: self.layers,
            tags: self.tags,
            transitive_tag_keys: self.transitive_tag_keys,
            source_identity: self.source_identity,
            mfa_authenticated_at: self.mfa_authenticated_at,
            federation: self.federation,
            chained: self.chained,
            scoped_layers: self.scoped_layers,
            first_key: self.first_key,
            console: self.console,
            principals_above: self.principals_above,
        })
    }
}

const fn kind_number(kind: SessionKind) -> u8 {
    match kind {
        SessionKind::User => 1,
        SessionKind::Root => 2,
        SessionKind::Federated => 3,
        SessionKind::FederatedByRoot => 4,
        SessionKind::Role => 5,
    }
}

fn kind_of(number: u8) -> Result<SessionKind, Malformed> {
    Ok(match number {
        1 => SessionKind::User,
        2 => SessionKind::Root,
        3 => SessionKind::Federated,
        4 => SessionKind::FederatedByRoot,
        5 => SessionKind::Role,
        _ => return Err(Malformed),
    })
}

fn decode_ancestry(value: &mut Reader<'_>) -> Result<Vec<SessionId>, Malformed> {
    let mut ids = Vec::new();
    while !value.is_empty() {
        if ids.len() == ANCESTORS_MAX {
            return Err(Malformed);
        }
        ids.push(SessionId(value.array()?));
    }
    Ok(ids)
}

/// Each: account, unique id, since when.
fn encode_principals(principals: &[PrincipalAbove]) -> Vec<u8> {
    let mut out = Vec::new();
    for principal in principals {
        put_varint(&mut out, principal.account.number());
        put_bytes(&mut out, principal.id.as_bytes());
        put_varint(&mut out, zigzag(principal.since));
    }
    out
}

fn decode_principals(value: &mut Reader<'_>) -> Result<Vec<PrincipalAbove>, Malformed> {
    let mut principals = Vec::new();
    while !value.is_empty() {
        if principals.len() == PRINCIPALS_MAX {
            return Err(Malformed);
        }
        let account = AccountId::from_number(value.varint()?).ok_or(Malformed)?;
        principals.push(PrincipalAbove { account, id: value.text()?, since: unzigzag(value.varint()?) });
    }
    Ok(principals)
}

/// 1 | what follows `arn:aws:iam::<account>:`, or 0 | the whole ARN.
fn encode_arn(claims: &SessionClaims) -> Vec<u8> {
    let prefix = format!("arn:aws:iam::{}:", claims.account);
    let (short, text) = match claims.principal_arn.strip_prefix(&prefix) {
        Some(rest) => (1, rest),
        None => (0, claims.principal_arn.as_str()),
    };
    [&[short], text.as_bytes()].concat()
}

fn decode_arn(short: u8, text: String, account: Option<AccountId>) -> Result<String, Malformed> {
    match (short, account) {
        (0, _) => Ok(text),
        (1, Some(account)) => Ok(format!("arn:aws:iam::{account}:{text}")),
        _ => Err(Malformed),
    }
}

/// Each layer is a block of its own: different callers chose them.
fn encode_layers(layers: &[SessionLayer]) -> Vec<u8> {
    let mut out = varint(layers.len() as u64);
    for layer in layers {
        let mut plain = Vec::new();
        plain.push(u8::from(layer.inline.is_some()));
        put_texts(&mut plain, &layer.policy_ids);
        plain.extend_from_slice(layer.inline.as_deref().unwrap_or_default().as_bytes());
        put_block(&mut out, &plain, true);
    }
    out
}

fn decode_layers(value: &mut Reader<'_>, budget: &mut usize) -> Result<Vec<SessionLayer>, Malformed> {
    let count = value.varint()?;
    if count > LAYERS_MAX as u64 {
        return Err(Malformed);
    }
    let mut layers = Vec::new();
    for _ in 0..count {
        let block = take_block(value, budget)?;
        let mut plain = Reader::new(&block);
        let has_inline = plain.byte()?;
        let policy_ids = plain.list(Reader::text)?;
        let text = plain.text_to_end()?;
        let inline = match has_inline {
            0 if text.is_empty() => None,
            1 => Some(text),
            _ => return Err(Malformed),
        };
        layers.push(SessionLayer { inline, policy_ids });
    }
    Ok(layers)
}

/// Tags that may have come down a chain stay uncompressed (`separate-blocks` in `pack`): beside them stand
/// tags that the last caller chose. Transitive keys are positions in the list of tags where they can be.
fn put_tags(out: &mut Vec<u8>, claims: &SessionClaims) {
    if !claims.tags.is_empty() {
        let mut plain = varint(claims.tags.len() as u64);
        for tag in &claims.tags {
            put_bytes(&mut plain, tag.key.as_bytes());
            put_bytes(&mut plain, tag.value.as_bytes());
        }
        let all_of_one_caller = claims.ancestry.is_empty() || claims.transitive_tag_keys.is_empty();
        let mut block = Vec::new();
        put_block(&mut block, &plain, all_of_one_caller);
        put_field(out, TAGS, &block);
    }
    if !claims.transitive_tag_keys.is_empty() {
        let mut list = varint(claims.transitive_tag_keys.len() as u64);
        for key in &claims.transitive_tag_keys {
            match claims.tags.iter().position(|tag| tag.key == *key) {
                Some(at) => put_varint(&mut list, at as u64 + 1),
                None => {
                    list.push(0);
                    put_bytes(&mut list, key.as_bytes());
                }
            }
        }
        put_field(out, TRANSITIVE, &list);
    }
}

fn decode_tags(value: &mut Reader<'_>, budget: &mut usize) -> Result<Vec<Tag>, Malformed> {
    let block = take_block(value, budget)?;
    let mut plain = Reader::new(&block);
    let tags = plain.list(|item| Ok(Tag { key: item.text()?, value: item.text()? }))?;
    if plain.is_empty() { Ok(tags) } else { Err(Malformed) }
}

fn decode_transitive(value: &mut Reader<'_>, tags: &[Tag]) -> Result<Vec<String>, Malformed> {
    value.list(|item| match item.varint()? {
        0 => item.text(),
        at => {
            let at = usize::try_from(at - 1).map_err(|_| Malformed)?;
            tags.get(at).map(|tag| tag.key.clone()).ok_or(Malformed)
        }
    })
}

#[cfg(test)]
mod tests;
