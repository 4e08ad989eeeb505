//! Whom an access token vouches for: Login with Amazon's or Facebook's, named by `ProviderId`, which only they can read.
//!
//! They are asked where the operator says so, and nobody else gets to see the token. Source: AWS STS API Reference,
//! AssumeRoleWithWebIdentity, `ProviderId`.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::oidc::{AccessTokenInfo, NoTokenInfo};
use daypass_directory::{Caller, Operation, TokenNames, Value, View, Vouched, VouchedBy};
use daypass_model::{AccountId, Arn, Secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::fetch::FetchError;
use super::keys::{Endpoint, Told, Turn};
use super::refused::{Asked, refused};
use super::web_identity::{DENIED, INVALID, Presented, unreachable};
use crate::error::Error;
use crate::house::House;

/// Longest access token that is asked about: as long as one is at Amazon or Facebook, and twice that.
const ACCESS_TOKEN_BYTES_MAX: usize = 4096;

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
    // Files of tokens often end in a line's end, which clients pass on.
    let token = call.token.trim_end_matches(['\r', '\n']);
    if is_compact(token) {
        // What another provider signed is not shown to this one.
        return Err(provider.wants_no_id_token());
    }
    let told = provider.ask(op, house, token).await;
    let asked = Asked { name: provider.name(), account: None };
    let info = told.map_err(|error| refused(house, op, asked, error, None))?;
    let view = house.directory.snapshot();
    let account = call.role_arn.parse().ok().and_then(|arn: Arn| arn.account_id());
    let account: AccountId =
        account.filter(|id| view.is_account(*id)).ok_or_else(|| Error::access_denied(DENIED))?;
    Ok((view, Caller::vouched(account, provider.vouched(info))))
}

/// Whether a token has the form of one that is signed or encrypted (RFC 7515, section 7.1; RFC 7516, section 7.1): three or five
/// parts, the first an object.
fn is_compact(token: &str) -> bool {
    let token = token.trim().trim_matches('"').trim_start_matches("Bearer ");
    let mut parts = token.split('.');
    let header = parts.next().and_then(|header| BASE64URL_NOPAD.decode(header.as_bytes()).ok());
    let is_object = header.is_some_and(|header| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&header).is_ok()
    });
    (is_object || token.starts_with("eyJ")) && matches!(parts.count(), 2 | 4)
}

/// Whether it has the form of an access token (RFC 6749, appendix A.12): what has not is shown to nobody.
fn is_access_token(token: &str) -> bool {
    (1..=ACCESS_TOKEN_BYTES_MAX).contains(&token.len())
        && token.bytes().all(|byte| matches!(byte, b' '..=b'~'))
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

    /// Ask, once it is this call's turn, and keep in mind how the provider stands.
    async fn ask(self, op: &Operation, house: &House, token: &str) -> Result<AccessTokenInfo, Error> {
        let issuers = &house.settings.issuers;
        let url = match self {
            Self::Amazon => &issuers.amazon_token_info_url,
            Self::Facebook => &issuers.facebook_graph_url,
        };
        let url = url.as_deref().ok_or_else(|| {
            Error::access_denied(format!("{DENIED}: this server does not ask {} about tokens", self.name()))
        })?;
        if !is_access_token(token) {
            return Err(rejected());
        }
        let turn = house.provider_keys.turn_to_ask(self.name(), op.source_ip).await?;
        let told = self.ask_now(house, &turn, url, token).await;
        let (state, why) = match &told {
            Ok(_) => (Told::Token, None),
            Err(Silence::Rejected) => (Told::Rejected, None),
            Err(Silence::Form) => (Told::Nothing, None),
            Err(Silence::Fetch(error)) => (Told::Nothing, Some(error)),
        };
        house.provider_keys.told_of_token(self.name(), state, why, house.now().as_second());
        told.map_err(|silence| match silence {
            Silence::Rejected => rejected(),
            Silence::Form | Silence::Fetch(_) => unreachable(),
        })
    }

    async fn ask_now(
        self,
        house: &House,
        turn: &Turn,
        url: &str,
        token: &str,
    ) -> Result<AccessTokenInfo, Silence> {
        let insecure = Some(url).filter(|url| house.settings.issuers.is_insecure(url));
        let query = Secret::new(format!("access_token={}", utf8_percent_encode(token, NON_ALPHANUMERIC)));
        let tell = async |url: &str| {
            let endpoint = Endpoint { url, insecure };
            house.provider_keys.tell_of_token(turn, &endpoint, &query).await.map_err(Silence::of)
        };
        let info = match self {
            Self::Amazon => AccessTokenInfo::of_amazon(&tell(url).await?),
            Self::Facebook => {
                let base = url.trim_end_matches('/');
                let app = tell(&format!("{base}/app")).await?;
                AccessTokenInfo::of_facebook(&app, &tell(&format!("{base}/me")).await?)
            }
        };
        info.map_err(|error| match error {
            NoTokenInfo::Refused => Silence::Rejected,
            NoTokenInfo::Form => Silence::Form,
        })
    }

    fn vouched(self, info: AccessTokenInfo) -> Vouched {
        let name = self.name();
        let AccessTokenInfo { app_id, user_id, client_id } = info;
        // Which of its two names for the user a policy tests is the policy's choice: AWS asks for `app_id` or `sub`.
        let of_token = [
            (format!("{name}:app_id"), app_id),
            (format!("{name}:{}", self.user_key()), user_id.clone()),
            (format!("{name}:sub"), user_id.clone()),
        ];
        let kept = of_token.iter().map(|(key, text)| (key.clone(), vec![text.clone()]));
        let kept = kept.chain([("aws:FederatedProvider".to_owned(), vec![name.to_owned()])]).collect();
        let by_role = ("sts:RoleAuthorizedByIdp".to_owned(), Value::from("false"));
        let keys = of_token.into_iter().map(|(key, text)| (key, text.into())).chain([by_role]).collect();
        Vouched {
            by_certificate: None,
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

/// Why a provider says nothing of a token.
enum Silence {
    /// It is none of its tokens.
    Rejected,
    /// What it answers has another form.
    Form,
    /// It does not answer.
    Fetch(FetchError),
}

impl Silence {
    /// What it refuses, or finds too long, is the token. A provider that cannot be found, that limits whoever asks, or sends them elsewhere, has said nothing of the token.
    fn of(error: FetchError) -> Self {
        match error {
            FetchError::Status(_, 400 | 401 | 403 | 413 | 414 | 431) => Self::Rejected,
            error => Self::Fetch(error),
        }
    }
}
