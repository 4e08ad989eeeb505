//! Whom an access token vouches for: Login with Amazon's or Facebook's, named by `ProviderId`, which only they can read.
//!
//! They are asked where the operator says so, and nobody else gets to see the token. Source: AWS STS API Reference,
//! AssumeRoleWithWebIdentity, `ProviderId`.

use std::sync::Arc;

use daypass_authn::oidc::AccessTokenInfo;
use daypass_directory::{Caller, Operation, TokenNames, Value, View, Vouched, VouchedBy};
use daypass_model::{AccountId, Arn, Secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::fetch::FetchError;
use super::keys::{Endpoint, NoKeys};
use super::refused::{Asked, refused};
use super::web_identity::{DENIED, INVALID, Presented, unreachable};
use crate::error::Error;
use crate::house::House;

/// Providers of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Amazon,
    Facebook,
}

/// Ask the provider about the token of a call, and only then look at what is decided on.
///
/// # Errors
/// AccessDenied, InvalidIdentityToken, IDPRejectedClaim, IDPCommunicationError.
pub(crate) async fn vouch_by_access_token(
    op: &Operation,
    house: &House,
    provider_id: &str,
    call: &Presented<'_>,
) -> Result<(Arc<View>, Caller), Error> {
    let provider = Provider::of_id(provider_id).ok_or_else(|| Error::access_denied(DENIED))?;
    if is_compact(call.token) {
        // What another provider signed is not shown to this one.
        return Err(provider.wants_no_id_token());
    }
    let info = provider.ask(house, call.token, op.now.as_second()).await;
    let asked = Asked { name: provider.name(), account: None };
    let info = info.map_err(|error| refused(house, asked, error, None))?;
    let view = house.directory.snapshot();
    let account = call.role_arn.parse().ok().and_then(|arn: Arn| arn.account_id());
    let account: AccountId =
        account.filter(|id| view.is_account(*id)).ok_or_else(|| Error::access_denied(DENIED))?;
    Ok((view, Caller::vouched(account, provider.vouched(info))))
}

/// Whether a token has the form of one that is signed or encrypted (RFC 7515, section 7.1; RFC 7516, section 7.1): three or five
/// parts, the first an object.
fn is_compact(token: &str) -> bool {
    token.starts_with("eyJ") && matches!(token.split('.').count(), 3 | 5)
}

impl Provider {
    fn of_id(provider_id: &str) -> Option<Self> {
        [Self::Amazon, Self::Facebook].into_iter().find(|provider| provider.name() == provider_id)
    }

    /// Its name in trust policies and condition keys.
    const fn name(self) -> &'static str {
        match self {
            Self::Amazon => "www.amazon.com",
            Self::Facebook => "graph.facebook.com",
        }
    }

    /// The condition key of whoever signed in, behind the name.
    const fn user_key(self) -> &'static str {
        match self {
            Self::Amazon => "user_id",
            Self::Facebook => "id",
        }
    }

    fn wants_no_id_token(self) -> Error {
        match self {
            Self::Amazon => Error::new(INVALID, "The token is not an access token of www.amazon.com"),
            Self::Facebook => rejected(),
        }
    }

    async fn ask(self, house: &House, token: &str, now: i64) -> Result<AccessTokenInfo, Error> {
        let issuers = &house.settings.issuers;
        let url = match self {
            Self::Amazon => &issuers.amazon_token_info_url,
            Self::Facebook => &issuers.facebook_graph_url,
        };
        let url = url.as_deref().ok_or_else(|| {
            Error::access_denied(format!("{DENIED}: this server does not ask {} about tokens", self.name()))
        })?;
        let insecure = Some(url).filter(|url| issuers.is_insecure(url));
        let query = Secret::new(format!("access_token={}", utf8_percent_encode(token, NON_ALPHANUMERIC)));
        let tell = async |url: &str| {
            let endpoint = Endpoint { provider: self.name(), url, insecure };
            house.provider_keys.tell_of_token(&endpoint, &query, now).await.map_err(|error| no_answer(&error))
        };
        let info = match self {
            Self::Amazon => AccessTokenInfo::of_amazon(&tell(url).await?),
            Self::Facebook => {
                let base = url.trim_end_matches('/');
                let app = tell(&format!("{base}/app")).await?;
                AccessTokenInfo::of_facebook(&app, &tell(&format!("{base}/me")).await?)
            }
        };
        info.map_err(|_| rejected())
    }

    fn vouched(self, info: AccessTokenInfo) -> Vouched {
        let name = self.name();
        let AccessTokenInfo { app_id, user_id, client_id } = info;
        let of_token =
            [(format!("{name}:app_id"), app_id), (format!("{name}:{}", self.user_key()), user_id.clone())];
        let kept = of_token.iter().map(|(key, text)| (key.clone(), vec![text.clone()]));
        let kept = kept.chain([("aws:FederatedProvider".to_owned(), vec![name.to_owned()])]).collect();
        let by_role = ("sts:RoleAuthorizedByIdp".to_owned(), Value::from("false"));
        let keys = of_token.into_iter().map(|(key, text)| (key, text.into())).chain([by_role]).collect();
        Vouched {
            by: VouchedBy::WebIdentity,
            provider: name.to_owned(),
            is_registered: false,
            subject: user_id,
            audience: client_id,
            token: TokenNames::default(),
            keys,
            kept,
            tags: Vec::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
        }
    }
}

fn rejected() -> Error {
    Error::new("IDPRejectedClaim", "The identity provider rejected the access token")
}

fn no_answer(error: &NoKeys) -> Error {
    match error {
        NoKeys::Fetch(FetchError::Status(_, status)) if *status < 500 => rejected(),
        _ => unreachable(),
    }
}
