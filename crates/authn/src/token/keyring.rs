//! The keyring: previous, active and next key, and a key of its own for each purpose.
//!
//! Whoever holds it can mint any session, so it never leaves the server. `next` is known to every node
//! before any node seals with it; `previous` stays until nothing it sealed can live.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use daypass_model::{AccessKeyId, Random, Secret};
use hkdf::Hkdf;
use sha2::Sha256;

use super::BadToken;
use super::aead::{Aead, purpose_key};
use super::claims::SessionClaims;
use super::seal::{Opened, SealError, Sealed, TokenKeys, read_token};

const SALT: &[u8] = b"daypass keyring v1";
/// Longest text of a message that is looked at.
const MESSAGE_SIZE_MAX: usize = 16 * 1024;
/// Version and key id of a message.
const MESSAGE_HEADER: usize = 5;
const MESSAGE_VERSION: u8 = 1;

/// What else than session tokens the keyring seals. A message sealed for one purpose opens for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The sign-in token of the federation endpoint.
    SignInToken,
    /// An encoded authorization failure message.
    AuthorizationMessage,
    /// The marker of a paged answer.
    PaginationMarker,
    /// The code that a browser brings to a program that waits for somebody's sign-in.
    AuthorizationCode,
    /// What such a program gets new credentials by.
    RefreshToken,
    /// How far somebody is with signing in: between the right password and the session.
    SignInProgress,
    /// The code that the host gives root.
    RootSignIn,
    /// What goes with a browser to an identity provider and comes back.
    OidcState,
    /// The token that it came back for, until a role is chosen.
    OidcToken,
}

impl Purpose {
    const ALL: [Self; 9] = [
        Self::SignInToken,
        Self::AuthorizationMessage,
        Self::PaginationMarker,
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::SignInProgress,
        Self::RootSignIn,
        Self::OidcState,
        Self::OidcToken,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::SignInToken => b"sign-in token v1",
            Self::AuthorizationMessage => b"authorization message v1",
            Self::PaginationMarker => b"pagination marker v1",
            Self::AuthorizationCode => b"authorization code v1",
            Self::RefreshToken => b"refresh token v1",
            Self::SignInProgress => b"sign-in progress v1",
            Self::RootSignIn => b"root sign-in v1",
            Self::OidcState => b"oidc state v1",
            Self::OidcToken => b"oidc token v1",
        }
    }
}

/// One key as the store keeps it (sealed with the master key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringKey {
    /// Stands in every token it seals; distinct within a keyring.
    pub id: u32,
    /// 32 bytes.
    pub secret: Secret,
    /// Unix seconds.
    pub created: i64,
}

/// The keys of a keyring as the store keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyringKeys {
    /// Opens, no longer seals.
    pub previous: Option<KeyringKey>,
    /// Seals and opens.
    pub active: KeyringKey,
    /// Opens already; will seal after the next rotation.
    pub next: KeyringKey,
}

/// The keys are no keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a keyring: keys need 32 bytes and distinct ids")]
pub struct InvalidKeyring;

/// Previous, active and next key, ready for use.
pub struct Keyring {
    previous: Option<Entry>,
    active: Entry,
    next: Entry,
}

impl Keyring {
    /// A new keyring. `created` is in Unix seconds.
    #[must_use]
    pub fn generate(random: &dyn Random, created: i64) -> Self {
        let mut id = [0; 4];
        random.fill(&mut id);
        let id = u32::from_be_bytes(id);
        let active = Entry::of(new_key(id, random, created));
        let next = Entry::of(new_key(id.wrapping_add(1), random, created));
        Self { previous: None, active, next }
    }

    /// The keyring that these keys make.
    ///
    /// # Errors
    /// When a key has not 32 bytes or two have one id.
    pub fn new(keys: KeyringKeys) -> Result<Self, InvalidKeyring> {
        let KeyringKeys { previous, active, next } = keys;
        let ids = [previous.as_ref().map(|key| key.id), Some(active.id), Some(next.id)];
        let distinct = ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2];
        let whole = previous.iter().chain([&active, &next]).all(|key| key.secret.expose().len() == 32);
        if !distinct || !whole {
            return Err(InvalidKeyring);
        }
        Ok(Self { previous: previous.map(Entry::of), active: Entry::of(active), next: Entry::of(next) })
    }

    /// The keys, for the store.
    #[must_use]
    pub fn keys(&self) -> KeyringKeys {
        KeyringKeys {
            previous: self.previous.as_ref().map(|entry| entry.key.clone()),
            active: self.active.key.clone(),
            next: self.next.key.clone(),
        }
    }

    /// The keyring one rotation on: next → active → previous, and a new next. What the old previous sealed
    /// opens no longer.
    #[must_use]
    pub fn rotate(&self, random: &dyn Random, created: i64) -> Self {
        Self {
            previous: Some(Entry::of(self.active.key.clone())),
            active: Entry::of(self.next.key.clone()),
            next: Entry::of(new_key(self.next.key.id.wrapping_add(1), random, created)),
        }
    }

    /// A keyring that has no key of this one: whoever holds a copy of a keyring holds `next` too. Nothing that
    /// was sealed so far opens any longer.
    #[must_use]
    pub fn replaced(&self, random: &dyn Random, created: i64) -> Self {
        let id = self.next.key.id;
        Self {
            previous: None,
            active: Entry::of(new_key(id.wrapping_add(1), random, created)),
            next: Entry::of(new_key(id.wrapping_add(2), random, created)),
        }
    }

    /// When an ordinary [`rotate`](Keyring::rotate) ends no session that lasts up to `longest` seconds: Unix
    /// seconds. The previous key, which it would drop, sealed until `next` was made.
    #[must_use]
    pub fn rotates_without_loss_from(&self, longest: i64) -> i64 {
        self.previous.as_ref().map_or(i64::MIN, |_| self.next.key.created.saturating_add(longest))
    }

    /// Since when there is a key of this keyring, in Unix seconds: nothing older opens.
    #[must_use]
    pub fn oldest(&self) -> i64 {
        self.previous.as_ref().unwrap_or(&self.active).key.created
    }

    /// Whether the token names a key of this keyring. `false` for a token of a newer keyring (worth one
    /// look at the store) and for garbage.
    #[must_use]
    pub fn knows_key_of(&self, token: &str) -> bool {
        read_token(token).is_ok_and(|(id, _)| self.entry(id).is_some())
    }

    /// Seal claims into a session token that works with this access key id only.
    ///
    /// `size_min` is `MinimumSessionTokenSize`, 0 for none.
    ///
    /// # Errors
    /// When policies and tags do not fit, or a bound is broken.
    pub fn seal(
        &self,
        claims: &SessionClaims,
        access_key_id: &AccessKeyId,
        size_min: usize,
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        self.active.tokens.seal(claims, access_key_id, size_min, random)
    }

    /// Open a session token that came with this access key id. Expiry is not looked at.
    ///
    /// # Errors
    /// One error for everything that is not a token of ours for that id.
    pub fn open(&self, token: &str, access_key_id: &AccessKeyId) -> Result<Opened, BadToken> {
        let (id, sealed) = read_token(token)?;
        self.entry(id).ok_or(BadToken)?.tokens.open(sealed, access_key_id)
    }

    /// Seal a short message for one purpose. `context` (for instance the account) must be given again to
    /// open it. The text is base64url without padding.
    ///
    /// # Errors
    /// When it is too long: the text may have 16 KiB.
    pub fn seal_message(
        &self,
        purpose: Purpose,
        context: &[u8],
        message: &[u8],
        random: &dyn Random,
    ) -> Result<String, SealError> {
        let [a, b, c, d] = self.active.key.id.to_be_bytes();
        let header = [MESSAGE_VERSION, a, b, c, d];
        let sealed = self.active.messages(purpose).seal(&header, context, message, random);
        let text = BASE64URL_NOPAD.encode(&sealed.map_err(|_| SealError::Bound("so long a message"))?);
        if text.len() > MESSAGE_SIZE_MAX { Err(SealError::Bound("so long a message")) } else { Ok(text) }
    }

    /// Open a message that was sealed for this purpose and context.
    ///
    /// # Errors
    /// One error for everything else.
    pub fn open_message(&self, purpose: Purpose, context: &[u8], text: &str) -> Result<Vec<u8>, BadToken> {
        if text.len() > MESSAGE_SIZE_MAX {
            return Err(BadToken);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BadToken)?;
        let &[MESSAGE_VERSION, a, b, c, d, ..] = bytes.as_slice() else { return Err(BadToken) };
        let entry = self.entry(u32::from_be_bytes([a, b, c, d])).ok_or(BadToken)?;
        let plain = entry.messages(purpose).open(MESSAGE_HEADER, context, bytes).map_err(|_| BadToken)?;
        Ok(plain.to_vec())
    }

    /// A number that a text has by the active key, and that nobody without it can foresee: to share things out by.
    #[must_use]
    pub fn share_of(&self, text: &str) -> u64 {
        let label = [b"share v1\0", text.as_bytes()].concat();
        let key = purpose_key(self.active.key.secret.expose(), SALT, &label);
        key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        [Some(&self.active), Some(&self.next), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|entry| entry.key.id == id)
    }
}

/// Prints ids only.
impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("previous", &self.previous.as_ref().map(|entry| entry.key.id))
            .field("active", &self.active.key.id)
            .field("next", &self.next.key.id)
            .finish()
    }
}

impl KeyringKeys {
    /// One line for each key: role, id, time of creation, secret in base64. For sealing into a record.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        // One buffer that never moves: the secret wipes it, and no copy stays behind.
        let mut out = String::with_capacity(512);
        let roles = [
            ("previous", self.previous.as_ref()),
            ("active", Some(&self.active)),
            ("next", Some(&self.next)),
        ];
        for (role, key) in roles.into_iter().filter_map(|(role, key)| Some((role, key?))) {
            out.push_str(&format!("{role} {} {} ", key.id, key.created));
            BASE64_NOPAD.encode_append(key.secret.expose(), &mut out);
            out.push('\n');
        }
        Secret::new(out)
    }

    /// Reads what [`KeyringKeys::to_text`] wrote.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn from_text(text: &Secret) -> Result<Self, InvalidKeyring> {
        let (mut previous, mut active, mut next) = (None, None, None);
        for line in text.expose_str().lines() {
            let mut words = line.split(' ');
            let slot = match words.next() {
                Some("previous") => &mut previous,
                Some("active") => &mut active,
                Some("next") => &mut next,
                _ => return Err(InvalidKeyring),
            };
            let key = read_key(words).ok_or(InvalidKeyring)?;
            if slot.replace(key).is_some() {
                return Err(InvalidKeyring);
            }
        }
        match (active, next) {
            (Some(active), Some(next)) => Ok(Self { previous, active, next }),
            _ => Err(InvalidKeyring),
        }
    }
}

fn read_key<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<KeyringKey> {
    let id = words.next()?.parse().ok()?;
    let created = words.next()?.parse().ok()?;
    let secret = Secret::new(BASE64_NOPAD.decode(words.next()?.as_bytes()).ok()?);
    words.next().is_none().then_some(KeyringKey { id, secret, created })
}

/// A key and what is derived from it, made once.
struct Entry {
    key: KeyringKey,
    tokens: TokenKeys,
    messages: [Aead; Purpose::ALL.len()],
}

impl Entry {
    fn of(key: KeyringKey) -> Self {
        let derive = |label: &[u8]| purpose_key(key.secret.expose(), SALT, label);
        let tokens = TokenKeys {
            id: key.id,
            seal: Aead::new(&derive(b"session token v1")),
            secrets: Hkdf::<Sha256>::new(None, &*derive(b"session secret v1")),
        };
        let messages = Purpose::ALL.map(|purpose| Aead::new(&derive(purpose.label())));
        Self { tokens, messages, key }
    }

    fn messages(&self, purpose: Purpose) -> &Aead {
        let [sign_in, authorization, marker, code, refresh, progress, root, state, token] = &self.messages;
        match purpose {
            Purpose::SignInToken => sign_in,
            Purpose::AuthorizationMessage => authorization,
            Purpose::PaginationMarker => marker,
            Purpose::AuthorizationCode => code,
            Purpose::RefreshToken => refresh,
            Purpose::SignInProgress => progress,
            Purpose::RootSignIn => root,
            Purpose::OidcState => state,
            Purpose::OidcToken => token,
        }
    }
}

fn new_key(id: u32, random: &dyn Random, created: i64) -> KeyringKey {
    let mut secret = vec![0; 32];
    random.fill(&mut secret);
    KeyringKey { id, secret: Secret::new(secret), created }
}
