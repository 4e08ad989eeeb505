//! Proof of possession: that whoever brings a token has the key that it was given to (RFC 9449).
//!
//! One form of it: a compact JSON Web Token of type `dpop+jwt`, signed with ES256 by the key on P-256 that stands in its header.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::algorithm::Algorithm;
use super::json;
use super::key_set::PublicKey;

/// Longest proof that is read, in bytes.
const PROOF_BYTES_MAX: usize = 4096;
/// How far a proof's time may be from now, in seconds: clocks differ as those of signers do.
const LEEWAY_SECONDS: i64 = 900;

/// A proof that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dpop {
    /// The SHA-256 of the key (RFC 7638), in base64url.
    pub thumbprint: String,
    /// `jti`: of one key no two proofs have the same.
    pub id: String,
}

/// The text is no proof for this request, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no proof of possession of a key")]
pub struct NoProof;

impl Dpop {
    /// How long a proof may be brought, in seconds, the first and the last among them: so long its `jti` is to be remembered.
    pub const SECONDS: i64 = 2 * LEEWAY_SECONDS + 1;

    /// Verify a proof for a POST to one of these URLs at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`NoProof`], whatever is wrong.
    pub fn verify(proof: &str, urls: &[String], now: i64) -> Result<Self, NoProof> {
        let text = Some(proof).filter(|proof| proof.len() <= PROOF_BYTES_MAX).ok_or(NoProof)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(NoProof)?;
        let (header, claims) =
            signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or(NoProof)?;
        let (header, claims, signature) = (object(header)?, object(claims)?, decoded(signature)?);
        let is = |members: &Map<String, Value>, name: &str, value: &str| {
            members.get(name).and_then(Value::as_str).filter(|text| *text == value).map(drop).ok_or(NoProof)
        };
        is(&header, "typ", "dpop+jwt")?;
        is(&header, "alg", "ES256")?;
        let thumbprint = held(&header, signed.as_bytes(), &signature)?;
        is(&claims, "htm", "POST")?;
        let url = claims.get("htu").and_then(Value::as_str).ok_or(NoProof)?;
        let issued_at = claims.get("iat").and_then(Value::as_i64).ok_or(NoProof)?;
        let is_now = now.saturating_sub(issued_at).saturating_abs() <= LEEWAY_SECONDS;
        if !is_now || !urls.iter().any(|own| own == url) || header.contains_key("crit") {
            return Err(NoProof);
        }
        let id = claims.get("jti").and_then(Value::as_str).filter(|id| (1..=256).contains(&id.len()));
        Ok(Self { thumbprint, id: id.ok_or(NoProof)?.to_owned() })
    }
}

/// What a program sends ahead of a secret that it shows later: SHA-256 in base64url (RFC 7636, section 4.2).
#[must_use]
pub fn challenge_of(verifier: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(verifier))
}

/// The thumbprint of the key in the header, if it made the signature. A private key in it is nobody's secret any more.
fn held(header: &Map<String, Value>, signed: &[u8], signature: &[u8]) -> Result<String, NoProof> {
    let key = header.get("jwk").and_then(Value::as_object).ok_or(NoProof)?;
    let text = |name: &str| key.get(name).and_then(Value::as_str).ok_or(NoProof);
    let (curve, kind, x, y) = (text("crv")?, text("kty")?, text("x")?, text("y")?);
    if key.contains_key("d") || curve != "P-256" || kind != "EC" {
        return Err(NoProof);
    }
    // Of its members these alone count.
    let plain = [("kty", kind), ("crv", curve), ("x", x), ("y", y)];
    let plain = plain.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
    let key = PublicKey::read(&plain).ok_or(NoProof)?;
    if !key.holds(Algorithm::Es256, signed, signature) {
        return Err(NoProof);
    }
    // Members in the order of their names, without blanks. Coordinates have one spelling, or they are none.
    let members = format!(r#"{{"crv":"{curve}","kty":"{kind}","x":"{x}","y":"{y}"}}"#);
    Ok(BASE64URL_NOPAD.encode(&Sha256::digest(members)))
}

fn object(part: &str) -> Result<Map<String, Value>, NoProof> {
    json::object(&decoded(part)?).ok_or(NoProof)
}

fn decoded(part: &str) -> Result<Vec<u8>, NoProof> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| NoProof)
}

#[cfg(test)]
mod tests {
    //! The example of the standard, and what is no proof.

    use super::*;

    /// RFC 9449, section 4.1.
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    const NOW: i64 = 1_562_262_616;

    fn verify(proof: &str, url: &str, now: i64) -> Result<Dpop, NoProof> {
        Dpop::verify(proof, &[url.to_owned()], now)
    }

    #[test]
    fn the_standards_example_holds() {
        let url = "https://server.example.com/token";
        let proof = verify(PROOF, url, NOW).unwrap();
        // RFC 9449, section 6.1: `jkt`.
        assert_eq!(proof.thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(proof.id, "-BwC3ESc6acc2lTc");
        for now in [NOW - 900, NOW + 900] {
            assert!(verify(PROOF, url, now).is_ok());
        }
        for (other, now) in
            [(url, NOW - 901), (url, NOW + 901), ("https://server.example.com/token/", NOW), ("", NOW)]
        {
            assert_eq!(verify(PROOF, other, now), Err(NoProof), "{other} {now}");
        }
    }

    #[test]
    fn a_proof_is_remembered_for_as_long_as_it_holds() {
        let url = "https://server.example.com/token";
        let (first, last) = (NOW - 900, NOW + 900);
        assert!(verify(PROOF, url, first).is_ok() && verify(PROOF, url, last).is_ok());
        // A spent fact is forgotten in the second that it was kept until.
        assert!(first + Dpop::SECONDS > last);
    }

    #[test]
    fn a_challenge_is_as_in_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_changed_proof_does_not_hold() {
        let url = "https://server.example.com/token";
        for at in (0..PROOF.len()).step_by(7) {
            let mut changed = PROOF.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(verify(std::str::from_utf8(&changed).unwrap(), url, NOW), Err(NoProof), "{at}");
        }
        let long = format!("{PROOF}{}", "A".repeat(4096));
        for other in ["", ".", "..", "a.b.c", &PROOF[..PROOF.len() - 1], &long, &format!("{PROOF}.")] {
            assert_eq!(verify(other, url, NOW), Err(NoProof));
        }
    }
}
