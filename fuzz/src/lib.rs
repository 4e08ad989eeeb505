//! What several fuzz targets need: requests and tokens made from raw bytes.
//!
//! Knows how to get past the parts that random bytes never pass (a signature, an authenticated seal),
//! so that the code behind them is reached. Everything is repeatable: seeded keys, a clock that stands.

mod house;

use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use data_encoding::BASE64_NOPAD;
use daypass_authn::sigv4::HttpRequest;
use daypass_authn::token::Keyring;
use daypass_model::{AccessKeyId, SeededRandom};
use hkdf::Hkdf;
use jiff::Timestamp;
use sha2::Sha256;

pub use house::House;

/// The moment at which everything happens.
///
/// # Panics
/// Never.
#[must_use]
pub fn noon() -> Timestamp {
    Timestamp::from_second(1_768_478_400).expect("a moment of 2026")
}

/// The keyring that sealed the golden tokens of `authn`, which are in the corpora.
#[must_use]
pub fn keyring() -> &'static Keyring {
    static KEYRING: LazyLock<Keyring> =
        LazyLock::new(|| Keyring::generate(&SeededRandom::new(11), noon().as_second()));
    &KEYRING
}

/// The access key id that goes with them.
///
/// # Panics
/// Never.
#[must_use]
pub fn access_key_id() -> AccessKeyId {
    "ASIAQNZGKIQY56JQ7WML".parse().expect("an access key id")
}

/// A request as HTTP/1.1 writes it, read loosely: no target parses HTTP, hyper does.
#[must_use]
pub fn http_request(data: &[u8]) -> Option<HttpRequest> {
    let text = data.split(|byte| *byte == b'\n');
    let mut used = 0;
    let mut lines = text.inspect(|line| used += line.len() + 1);
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = first.trim_end().split_once(' ')?;
    let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
    let mut request = HttpRequest::new(method, target, "");
    for line in lines.by_ref().take_while(|line| !line.trim_ascii().is_empty()).take(100) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        // HTTP has no other names (RFC 9110 §5.1), so no other can reach anybody.
        let name = std::str::from_utf8(&line[..colon]).ok().filter(|name| is_token(name))?;
        request = request.with_header(name, line[colon + 1..].trim_ascii());
    }
    drop(lines);
    request.body = data.get(used..).unwrap_or_default().to_vec().into();
    Some(request)
}

fn is_token(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

/// A session token of [`keyring`] whose claims are these bytes: what only a faulty node could seal.
/// Follows the layout that `authn::token` draws, with code of its own.
#[must_use]
pub fn seal(plain: &[u8]) -> Option<String> {
    const TAG: usize = 16;
    let [a, b, c, d] = keyring().keys().active.id.to_be_bytes();
    let header = [1, a, b, c, d];
    let mut body = plain.to_vec();
    let size = header.len() + NONCE_LEN + body.len() + TAG;
    body.resize(body.len() + size.next_multiple_of(3) - size, 0);
    let nonce = [7; NONCE_LEN];
    let aad = [&header, access_key_id().as_str().as_bytes()].concat();
    let tag = key()?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut body)
        .ok()?;
    Some(BASE64_NOPAD.encode(&[&header[..], &nonce, &body, tag.as_ref()].concat()))
}

fn key() -> Option<LessSafeKey> {
    let secret = keyring().keys().active.secret;
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(Some(b"daypass keyring v1"), secret.expose());
    hkdf.expand(b"session token v1", &mut key).ok()?;
    UnboundKey::new(&AES_256_GCM_SIV, &key).ok().map(LessSafeKey::new)
}
