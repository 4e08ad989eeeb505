//! The tries of whoever signs in with a password. They slow a guesser down, and keep nobody out who knows the password:
//!
//! - A browser that the user has signed in from has tries of its own ("Device Cookies" of OWASP). Nobody else has its cookie, so
//!   nobody else can use them up, from wherever and however often they guess.
//! - Whoever comes with another browser has the tries of their network, and shares others with whoever comes from the networks
//!   that fall onto the same shelf. One guesser, or a few, leave other networks theirs; many of them together have a
//!   bound.
//! - A network has tries over all users, so that nobody tries one password with everybody.
//!
//! They are of a name, whether there is such a user or not: else their end would tell.
//!
//! INVARIANT (tries-first): they are spent before the password is looked at.

use std::net::IpAddr;

use super::spending::{TRIES_MAX, TRIES_WINDOW_SECONDS, in_time};
use crate::context::Operation;
use crate::directory::Directory;
use crate::error::NotCommitted;
use crate::key;

/// Tries of one network with one name, in a window.
const OF_NETWORK: u32 = 6;
/// Tries of the networks of one shelf with one name.
const OF_NETWORKS: u32 = 12;
/// Tries of one network with the names of one shelf: many people can be behind one.
const OF_NAMES: u32 = 20;
/// Shelves, which networks and names fall onto.
const SHELVES: u64 = 8;

/// Who tries to sign in, as far as they say.
#[derive(Debug, Clone, Copy)]
pub struct SignInTry<'a> {
    /// The account, by its number where there is one.
    pub account: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// Where they come from: the network, where an address stands for one.
    pub network: Option<IpAddr>,
    /// The hash of their browser's secret, if the user has signed in from it.
    pub browser: Option<&'a str>,
}

impl Directory {
    /// Spend one of the tries that are left: `false` when there is none until the window of time turns, after three minutes at the
    /// latest.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_sign_in_try(&self, op: &Operation, who: SignInTry<'_>) -> Result<bool, NotCommitted> {
        in_time(async {
            let name = format!("{}/{}", who.account, who.user.to_lowercase());
            let spend = async |whose: String, many| {
                self.spend_one_of(op, many, |window, n| key::sign_in_try(&whose, window, n)).await
            };
            if let Some(browser) = who.browser {
                return spend(format!("browser {browser} {name}"), TRIES_MAX).await;
            }
            // Others in every window, by a key of ours: else whoever wants somebody to wait looks for networks on their shelf.
            let window = op.now.as_second().div_euclid(TRIES_WINDOW_SECONDS);
            let view = self.snapshot();
            let shelf = |text: &str| view.keyring().share_of(&format!("shelf {window} {text}")) % SHELVES;
            let network = who.network.map_or_else(String::new, |network| network.to_string());
            Ok(spend(format!("network {network} {name}"), OF_NETWORK).await?
                && spend(format!("shelf {} {name}", shelf(&network)), OF_NETWORKS).await?
                && spend(format!("names {} {network}", shelf(&name)), OF_NAMES).await?)
        })
        .await
    }

    /// Whether this call is the first to bring a sign-in in progress so far. `expires_at`: Unix seconds, until when it could
    /// come so far once more.
    ///
    /// # Errors
    /// The store did not say.
    pub async fn spend_sign_in_step(
        &self,
        op: &Operation,
        number: u64,
        step: &str,
        expires_at: i64,
    ) -> Result<bool, NotCommitted> {
        in_time(self.spend(op, key::sign_in_step(number, step), expires_at)).await
    }
}
