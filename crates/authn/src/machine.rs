//! Proof by a machine: that a call of an agent was made by whoever has the key of that machine, for this server, now and
//! with these parameters.
//!
//! One form of it: a compact JSON Web Token of type `daypass-machine+jwt` (RFC 7515, section 7.1; RFC 8725, section 3.11), signed
//! with ES256. Which key a machine has, and which proofs were brought before, others know.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use daypass_model::{Random, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::browser::BrowserSecret;

/// Longest proof that is read, in bytes.
pub const PROOF_BYTES_MAX: usize = 2048;
/// How far a proof's time may be from now, in seconds.
const LEEWAY_SECONDS: i64 = 300;
/// The only header: nothing in it is a choice.
const HEADER: &str = r#"{"typ":"daypass-machine+jwt","alg":"ES256"}"#;
/// A point on P-256, uncompressed.
const POINT_BYTES: usize = 65;

/// What a server says of a proof that it saw before. An agent goes by it, since whatever stands between may send a call again.
pub const PROOF_USED_BEFORE: &str = "The proof was used before.";
/// What a server says of a join secret by which another machine joined: one of the two is a thief.
pub const JOINED_BEFORE: &str = "The join secret was used before, by another machine.";

/// What a proof is made for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    /// ARN of the instance.
    pub instance: &'a str,
    /// The operation, `GetInstanceCredentials`.
    pub action: &'a str,
    /// Its other parameters, in an order that both sides know.
    pub params: &'a [(&'a str, &'a str)],
}

/// The key pair of a machine.
pub struct MachineKey {
    pair: EcdsaKeyPair,
    /// PKCS #8.
    private: Secret,
}

/// The public half: a point on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachinePublicKey(Vec<u8>);

/// A secret that a machine or a task is given once, of which the server keeps the hash: 256 bits.
pub struct MachineSecret(BrowserSecret);

/// A proof that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineProof {
    /// `jti`: no two proofs of one key have the same.
    pub id: String,
    /// `aud`: the URL of the server that it was made for.
    pub server: String,
}

/// Why a text proves nothing. What is wrong with its time is told, so that somebody sets a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMachineProof {
    /// Whatever is wrong.
    #[error("the proof is not one of this machine for this call")]
    Other,
    /// It is of another time than now.
    #[error("the proof is of another time: the clock of the machine or of the server is wrong")]
    Time,
}

/// The crypto library made no key, or no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the crypto library made no key, or no signature")]
pub struct NoKey;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    act: String,
    prm: String,
    iat: i64,
    jti: String,
}

impl MachineKey {
    /// A new one. The crypto library draws it itself.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn generate() -> Result<Self, NoKey> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Self::read(Secret::new(document.map_err(|_| NoKey)?.as_ref().to_vec()))
    }

    /// The key pair that a PKCS #8 document holds.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn read(private: Secret) -> Result<Self, NoKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.expose());
        Ok(Self { pair: pair.map_err(|_| NoKey)?, private })
    }

    /// The document to keep.
    #[must_use]
    pub fn private(&self) -> &Secret {
        &self.private
    }

    /// What the server keeps.
    #[must_use]
    pub fn public(&self) -> MachinePublicKey {
        MachinePublicKey(self.pair.public_key().as_ref().to_vec())
    }

    /// A proof for one call to the server of this URL, made at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn prove(
        &self,
        purpose: &Purpose<'_>,
        server: &str,
        now: i64,
        random: &dyn Random,
    ) -> Result<Secret, NoKey> {
        let mut id = [0; 16];
        random.fill(&mut id);
        let claims = Claims {
            iss: purpose.instance.to_owned(),
            aud: server.to_owned(),
            act: purpose.action.to_owned(),
            prm: digest(purpose.params),
            iat: now,
            jti: BASE64URL_NOPAD.encode(&id),
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| NoKey)?;
        let signed = format!("{}.{}", encode(HEADER.as_bytes()), encode(&claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| NoKey)?;
        Ok(Secret::new(format!("{signed}.{}", encode(signature.as_ref()))))
    }
}

impl MachineSecret {
    /// A new one.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        Self(BrowserSecret::generate(random))
    }

    /// Of its text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        BrowserSecret::read(text).map(Self)
    }

    /// 43 characters of base64url.
    #[must_use]
    pub fn text(&self) -> Secret {
        self.0.cookie()
    }

    /// What may be kept of it: the SHA-256 in lower-case hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.0.hash()
    }

    /// Whether this is the secret of that hash, in constant time.
    #[must_use]
    pub fn has_hash(&self, hash: &str) -> bool {
        self.0.has_hash(hash)
    }
}

impl MachinePublicKey {
    /// Of its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let point = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (point.len() == POINT_BYTES && point.first() == Some(&4)).then_some(Self(point))
    }

    /// 87 characters of base64url.
    #[must_use]
    pub fn text(&self) -> String {
        encode(&self.0)
    }

    /// The SHA-256 of the point in base64url: by it proofs that were brought are remembered.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        encode(&Sha256::digest(&self.0))
    }
}

impl MachineProof {
    /// For how long a proof may be brought, in seconds: so long its id is to be remembered.
    pub const SECONDS: i64 = 2 * LEEWAY_SECONDS + 1;

    /// Verify that a proof is this key's and made for this call, at `now` (Unix seconds). For which server it was made, the
    /// caller has to look at.
    ///
    /// # Errors
    /// [`NoMachineProof`].
    pub fn verify(
        proof: &str,
        key: &MachinePublicKey,
        purpose: &Purpose<'_>,
        now: i64,
    ) -> Result<Self, NoMachineProof> {
        let other = NoMachineProof::Other;
        let text = Some(proof).filter(|proof| proof.len() <= PROOF_BYTES_MAX).ok_or(other)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(other)?;
        let (header, claims) = signed.split_once('.').ok_or(other)?;
        // One spelling, so that nobody chooses an algorithm or a key.
        if header != encode(HEADER.as_bytes()) {
            return Err(other);
        }
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| other);
        let (claims, signature) = (decoded(claims)?, decoded(signature)?);
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.0);
        key.verify(signed.as_bytes(), &signature).map_err(|_| other)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| other)?;
        let is_for_it = claims.iss == purpose.instance
            && claims.act == purpose.action
            && claims.prm == digest(purpose.params)
            && (16..=64).contains(&claims.jti.len());
        if !is_for_it {
            return Err(other);
        }
        if now.saturating_sub(claims.iat).saturating_abs() > LEEWAY_SECONDS {
            return Err(NoMachineProof::Time);
        }
        Ok(Self { id: claims.jti, server: claims.aud })
    }
}

/// Every parameter with its length in front: no two lists read alike.
fn digest(params: &[(&str, &str)]) -> String {
    let mut hash = Sha256::new();
    for text in params.iter().flat_map(|(name, value)| [name, value]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    encode(&hash.finalize())
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    //! What a proof is good for, and for nothing else.

    use daypass_model::SeededRandom;

    use super::*;

    const SERVER: &str = "https://sts.example.com";
    const NOW: i64 = 1_790_000_000;
    const CALL: Purpose<'static> = Purpose {
        instance: "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0",
        action: "GetInstanceCredentials",
        params: &[("RoleDelivery", "2.0")],
    };

    fn proof(key: &MachineKey, purpose: &Purpose<'_>) -> String {
        let proof = key.prove(purpose, SERVER, NOW, &SeededRandom::new(7)).unwrap();
        proof.expose_str().to_owned()
    }

    #[test]
    fn a_proof_holds_for_its_call_and_no_other() {
        let key = MachineKey::generate().unwrap();
        let (proof, public) = (proof(&key, &CALL), key.public());
        let held = MachineProof::verify(&proof, &public, &CALL, NOW).unwrap();
        assert_eq!((held.server.as_str(), held.id.len()), (SERVER, 22));
        for other in [
            Purpose {
                instance: "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef1",
                ..CALL
            },
            Purpose { action: "GetTaskCredentials", ..CALL },
            Purpose { params: &[("RoleDelivery", "1.0")], ..CALL },
            Purpose { params: &[], ..CALL },
            Purpose { params: &[("RoleDelivery2", ".0")], ..CALL },
        ] {
            let refused = MachineProof::verify(&proof, &public, &other, NOW);
            assert_eq!(refused, Err(NoMachineProof::Other), "{other:?}");
        }
        let stranger = MachineKey::generate().unwrap().public();
        assert_eq!(MachineProof::verify(&proof, &stranger, &CALL, NOW), Err(NoMachineProof::Other));
    }

    #[test]
    fn a_proof_is_good_for_minutes() {
        let key = MachineKey::generate().unwrap();
        let (proof, public) = (proof(&key, &CALL), key.public());
        for now in [NOW - 300, NOW + 300] {
            assert!(MachineProof::verify(&proof, &public, &CALL, now).is_ok());
        }
        for now in [NOW - 301, NOW + 301, i64::MIN, i64::MAX] {
            assert_eq!(MachineProof::verify(&proof, &public, &CALL, now), Err(NoMachineProof::Time), "{now}");
        }
    }

    #[test]
    fn a_changed_proof_does_not_hold_and_no_algorithm_can_be_chosen() {
        let key = MachineKey::generate().unwrap();
        let (proof, public) = (proof(&key, &CALL), key.public());
        for at in (0..proof.len()).step_by(5) {
            let mut changed = proof.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                MachineProof::verify(&changed, &public, &CALL, NOW),
                Err(NoMachineProof::Other),
                "{at}"
            );
        }
        let (_, rest) = proof.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let unsigned = encode(br#"{"typ":"daypass-machine+jwt","alg":"none"}"#);
        for other in
            [format!("{unsigned}.{rest}"), format!("{unsigned}.{claims}."), String::new(), "..".into()]
        {
            assert_eq!(MachineProof::verify(&other, &public, &CALL, NOW), Err(NoMachineProof::Other));
        }
    }

    #[test]
    fn a_key_reads_back_and_nothing_else_is_one() {
        let key = MachineKey::generate().unwrap();
        let again = MachineKey::read(key.private().clone()).unwrap();
        assert_eq!(again.public(), key.public());
        let text = key.public().text();
        assert_eq!((text.len(), MachinePublicKey::parse(&text)), (87, Some(key.public())));
        assert_eq!(key.public().thumbprint().len(), 43);
        for bad in ["", "AAAA", &text[..86], &format!("{text}A"), &text.replace(&text[..1], "A")] {
            assert_eq!(MachinePublicKey::parse(bad), None, "{bad}");
        }
        assert!(MachineKey::read(Secret::new("no key")).is_err());
        // A point that is on no curve holds nothing.
        let nowhere = MachinePublicKey::parse(&encode(&[[4].as_slice(), &[1; 64]].concat())).unwrap();
        let proof = proof(&key, &CALL);
        assert_eq!(MachineProof::verify(&proof, &nowhere, &CALL, NOW), Err(NoMachineProof::Other));
    }
}
