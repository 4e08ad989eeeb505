//! From the certificate of whoever calls to one of a trust anchor's: every link by name and signature, every link valid now.
//!
//! The links between may come in any order, and one that leads nowhere does no harm. The work is bounded whatever comes: a
//! path is as long as there are certificates, and so many signatures are looked at and no more.

use jiff::Timestamp;

use super::certificate::{Certificate, Unfit};

/// Certificates between the caller's and the anchor's.
pub const CHAIN_MAX: usize = 5;
/// Signatures that are looked at for one path.
const SIGNATURES_MAX: usize = 64;

/// Why a certificate is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is none that can prove who calls.
    #[error("the certificate cannot be used: {0}")]
    Unfit(Unfit),
    /// Nothing leads from it to the anchor.
    #[error("no path of valid certificates leads to the trust anchor")]
    NoPath,
}

/// The certificates from `leaf` up to one of `anchors`, both included.
///
/// # Errors
/// [`Untrusted`].
pub fn path<'a>(
    leaf: &'a Certificate,
    between: &'a [Certificate],
    anchors: &'a [Certificate],
    now: Timestamp,
) -> Result<Vec<&'a Certificate>, Untrusted> {
    leaf.check_end_entity(now).map_err(Untrusted::Unfit)?;
    let mut search = Search { between, anchors, now, path: vec![leaf], signatures: SIGNATURES_MAX };
    if between.len() <= CHAIN_MAX && search.ends() { Ok(search.path) } else { Err(Untrusted::NoPath) }
}

/// The certificate of an anchor that may be why there is no path: it is over, and has the name of whoever issued one of these.
#[must_use]
pub fn ended_anchor<'a>(
    leaf: &Certificate,
    between: &[Certificate],
    anchors: &'a [Certificate],
    now: Timestamp,
) -> Option<&'a Certificate> {
    let issued =
        |anchor: &Certificate| between.iter().chain([leaf]).any(|below| anchor.subject == below.issuer);
    anchors.iter().find(|anchor| anchor.check_time(now) == Err(Unfit::Expired) && issued(anchor))
}

struct Search<'a> {
    between: &'a [Certificate],
    anchors: &'a [Certificate],
    now: Timestamp,
    path: Vec<&'a Certificate>,
    signatures: usize,
}

impl<'a> Search<'a> {
    /// Whether the path can be led to an anchor; it then ends there.
    fn ends(&mut self) -> bool {
        let (anchors, between) = (self.anchors, self.between);
        if let Some(anchor) = anchors.iter().find(|anchor| self.follows(anchor)) {
            self.path.push(anchor);
            return true;
        }
        for link in between {
            // No certificate twice, by what it is and not by where it stands: a loop ends.
            if self.path.contains(&link) || !self.follows(link) {
                continue;
            }
            self.path.push(link);
            if self.ends() {
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Whether this is an authority that issued the last of the path, and may stand above it.
    fn follows(&mut self, authority: &Certificate) -> bool {
        // All but the first are authorities.
        let below = self.path.len() - 1;
        let Some(last) = self.path.last() else { return false };
        if authority.subject != last.issuer
            || authority.check_authority(self.now).is_err()
            || !authority.allows_below(below)
            || self.signatures == 0
        {
            return false;
        }
        self.signatures -= 1;
        authority.issued(last)
    }
}
