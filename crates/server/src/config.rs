//! Configuration: flags, then `DAYPASS_*` environment, then `daypass.toml`, then defaults.
//!
//! Every setting has all three forms under one name, but --config, and those of `variables.rs`. A name that is not known is refused in all of them.

mod file;
mod listeners;
mod outbound;
mod region;
mod saml;
mod sign_in;
mod values;
mod variables;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use daypass_directory::SessionRules;
use daypass_model::{Authority, Secret};
use daypass_service::doors::SignIn;
use daypass_service::federation::{Issuers, SamlSettings};
use daypass_service::{DECISION_LOG_HOURS, Services};
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::data_dir::KeySource;
use crate::failure::Failure;
use crate::outbound::OutboundRules;

pub use crate::tls::TlsFiles;
use file::read_file;
use listeners::check_listeners;
use outbound::issuers;
use region::{parse_region, region};
use saml::SamlReplay;
use values::{authority, destinations, either, networks, services, tolerable};
pub(crate) use variables::{ENVIRONMENT_HELP, check_agent_variables, check_variables};

/// The data directory, unless another is named.
pub(crate) const DATA_DEFAULT: &str = "daypass-data";
/// The address of the API, unless another is named.
pub(crate) const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7777);
/// The address of health and metrics, unless another is named.
const ADMIN_LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7778);

/// The settings of `daypass serve`, as flags and environment give them.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Configuration file [default: daypass.toml, if there is one]
    #[arg(long, env = "DAYPASS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory [default: ./daypass-data]
    #[arg(long, env = "DAYPASS_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address of the API; port 0 picks one [default: 127.0.0.1:7777]
    #[arg(long, env = "DAYPASS_LISTEN", value_parser = parse_address, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Address of /healthz, /readyz and /metrics [default: 127.0.0.1:7778]
    #[arg(long, env = "DAYPASS_ADMIN_LISTEN", value_parser = parse_address, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// Allow plain HTTP on addresses that are not loopback (a TLS proxy stands in front)
    #[arg(long, env = "DAYPASS_ALLOW_PLAIN_HTTP", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_plain_http: Option<bool>,
    /// Certificate chain in PEM: the API speaks TLS (read again when it changes, and at SIGHUP)
    #[arg(long, env = "DAYPASS_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM
    #[arg(long, env = "DAYPASS_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count; may be repeated [default: none]
    #[arg(long, env = "DAYPASS_TRUST_PROXY", value_delimiter = ',', value_name = "CIDR")]
    pub trust_proxy: Vec<String>,
    /// The URL clients use: requests signed for another host are refused; `aws:SecureTransport` is true if it is https
    #[arg(long, env = "DAYPASS_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// File with the master key (32 bytes in base64) [default: <data>/master-key, made on first start]
    #[arg(long, env = "DAYPASS_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// A header that a proxy adds after signing: tolerated unsigned, without meaning; may be repeated
    #[arg(long, env = "DAYPASS_TOLERATE_UNSIGNED_HEADER", value_delimiter = ',', value_name = "NAME")]
    pub tolerate_unsigned_header: Vec<String>,
    /// Accept Signature Version 2 for STS and IAM, which old clients need: it signs no header, and SHA-1 will do
    #[arg(long, env = "DAYPASS_ALLOW_SIGNATURE_V2", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_signature_v2: Option<bool>,
    /// Audit file [default: <data>/audit.jsonl]
    #[arg(long, env = "DAYPASS_AUDIT_FILE", value_name = "FILE")]
    pub audit_file: Option<PathBuf>,
    /// Rotate the audit file at this size, in MiB [default: 64]
    #[arg(long, env = "DAYPASS_AUDIT_ROTATE_MIB", value_parser = parse_count::<NonZeroU64>, value_name = "MIB")]
    pub audit_rotate_mib: Option<NonZeroU64>,
    /// Rotated audit files to keep [default: 16]
    #[arg(long, env = "DAYPASS_AUDIT_KEEP", value_parser = parse_count::<NonZeroU32>, value_name = "COUNT")]
    pub audit_keep: Option<NonZeroU32>,
    /// Write audit events to standard output as well
    #[arg(long, env = "DAYPASS_AUDIT_STDOUT", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub audit_stdout: Option<bool>,
    /// Sessions that the session log keeps [default: 100000]
    #[arg(long, env = "DAYPASS_SESSION_LOG_MAX", value_parser = parse_count::<NonZeroU32>, value_name = "COUNT")]
    pub session_log_max: Option<NonZeroU32>,
    /// Hours for which decisions can be explained by their request id [default: 24]
    #[arg(long, env = "DAYPASS_DECISION_LOG_HOURS", value_parser = parse_count::<NonZeroU32>, value_name = "HOURS")]
    pub decision_log_hours: Option<NonZeroU32>,
    /// End sessions with the long-term access key that their chain began with, when it is deactivated or deleted
    #[arg(long, env = "DAYPASS_END_SESSIONS_WITH_KEY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub end_sessions_with_key: Option<bool>,
    /// Region that requests to STS must be signed for (those for the host sts.amazonaws.com: us-east-1) [default: any]
    #[arg(long, env = "DAYPASS_STS_REGION", value_parser = parse_region, value_name = "REGION")]
    pub sts_region: Option<String>,
    /// A service and the account that runs it, as NAME=ACCOUNT: its name is let in by trust policies; may be repeated [default: none]
    #[arg(long, env = "DAYPASS_SERVICE", value_delimiter = ',', value_name = "NAME=ACCOUNT")]
    pub service: Vec<String>,
    /// OpenID Connect issuer that may use plain HTTP, a port and a private address (for tests and closed networks); may be
    /// repeated [default: none]
    #[arg(long, env = "DAYPASS_ALLOW_INSECURE_ISSUER", value_delimiter = ',', value_name = "URL")]
    pub allow_insecure_issuer: Vec<String>,
    /// Network that is not public and in which identity providers may be asked for their keys; may be repeated [default: none]
    #[arg(long, env = "DAYPASS_ALLOW_PRIVATE_NETWORK", value_delimiter = ',', value_name = "CIDR")]
    pub allow_private_network: Vec<String>,
    /// Certificates in PEM that vouch for identity providers' servers [default: those of this machine]
    #[arg(long, env = "DAYPASS_CA_BUNDLE", value_name = "FILE")]
    pub ca_bundle: Option<PathBuf>,
    /// HTTP proxy through which identity providers are asked, as http://HOST:PORT [default: none]
    #[arg(long, env = "DAYPASS_OUTBOUND_PROXY", value_name = "URL")]
    pub outbound_proxy: Option<String>,
    /// Discovery document of accounts.google.com [default: Google's own]
    #[arg(long, env = "DAYPASS_GOOGLE_DISCOVERY_URL", value_name = "URL")]
    pub google_discovery_url: Option<String>,
    /// Discovery document of cognito-identity.amazonaws.com [default: Amazon's own]
    #[arg(long, env = "DAYPASS_COGNITO_DISCOVERY_URL", value_name = "URL")]
    pub cognito_discovery_url: Option<String>,
    /// Token-information endpoint of Login with Amazon, whose access tokens are taken then [default: none]
    #[arg(long, env = "DAYPASS_AMAZON_TOKEN_INFO_URL", value_name = "URL")]
    pub amazon_token_info_url: Option<String>,
    /// Facebook's Graph API, whose access tokens are taken then [default: none]
    #[arg(long, env = "DAYPASS_FACEBOOK_GRAPH_URL", value_name = "URL")]
    pub facebook_graph_url: Option<String>,
    /// How often one SAML assertion counts [default: per-role]
    #[arg(long, env = "DAYPASS_SAML_REPLAY", value_name = "RULE")]
    pub saml_replay: Option<SamlReplay>,
    /// Accept SAML signatures with SHA-1, which old identity providers make
    #[arg(long, env = "DAYPASS_ALLOW_SAML_SHA1", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_saml_sha1: Option<bool>,
    /// Take a sign-in link of /federation until its fifteen minutes are over, and not only once
    #[arg(long, env = "DAYPASS_SIGN_IN_LINKS_AGAIN", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub sign_in_links_again: Option<bool>,
    /// Place beside the console that a sign-in may lead to, with everything below it; may be repeated [default: none]
    #[arg(long, env = "DAYPASS_CONSOLE_DESTINATION", value_delimiter = ',', value_name = "URL")]
    pub console_destination: Vec<String>,
    /// Identity provider that people sign in at: a name, the ARN, a client id, and the file of its secret; may be repeated
    #[arg(long, env = "DAYPASS_SIGN_IN_PROVIDER", value_delimiter = ',', value_name = "WORDS")]
    pub sign_in_provider: Vec<String>,
    /// What to log: error, warn, info, debug, trace, or target=level,… [default: info]
    #[arg(long, env = "DAYPASS_LOG", value_name = "LEVELS")]
    pub log: Option<String>,
    /// Form of the log on standard error [default: text]
    #[arg(long, env = "DAYPASS_LOG_FORMAT", value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// Which data directory is meant, by the settings that `daypass serve` goes by.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Configuration file [default: daypass.toml, if there is one]
    #[arg(long, env = "DAYPASS_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Data directory of the running server [default: ./daypass-data]
    #[arg(long, env = "DAYPASS_DATA", value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// The directory.
    ///
    /// # Errors
    /// The configuration file cannot be read or holds an unknown name.
    pub fn directory(self) -> Result<PathBuf, Failure> {
        self.with_file().map(|(directory, _)| directory)
    }

    /// The directory, and what the configuration file says of everything else.
    pub(crate) fn with_file(self) -> Result<(PathBuf, ConfigFile), Failure> {
        let mut file = read_file(self.config.as_deref())?;
        Ok((data_directory(self.data, file.data.take()), file))
    }
}

fn data_directory(given: Option<PathBuf>, in_file: Option<PathBuf>) -> PathBuf {
    given.or(in_file).unwrap_or_else(|| DATA_DEFAULT.into())
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object per line.
    Json,
}

/// `daypass.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ConfigFile {
    data: Option<PathBuf>,
    #[serde(default, deserialize_with = "address")]
    listen: Option<SocketAddr>,
    #[serde(default, deserialize_with = "address")]
    admin_listen: Option<SocketAddr>,
    allow_plain_http: Option<bool>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    #[serde(default)]
    trust_proxy: Vec<String>,
    public_url: Option<String>,
    pub(crate) master_key_file: Option<PathBuf>,
    #[serde(default)]
    tolerate_unsigned_header: Vec<String>,
    allow_signature_v2: Option<bool>,
    pub(crate) audit_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "count")]
    audit_rotate_mib: Option<NonZeroU64>,
    #[serde(default, deserialize_with = "count")]
    audit_keep: Option<NonZeroU32>,
    audit_stdout: Option<bool>,
    #[serde(default, deserialize_with = "count")]
    session_log_max: Option<NonZeroU32>,
    #[serde(default, deserialize_with = "count")]
    decision_log_hours: Option<NonZeroU32>,
    end_sessions_with_key: Option<bool>,
    #[serde(default, deserialize_with = "region")]
    sts_region: Option<String>,
    #[serde(default)]
    service: Vec<String>,
    #[serde(default)]
    allow_insecure_issuer: Vec<String>,
    #[serde(default)]
    allow_private_network: Vec<String>,
    ca_bundle: Option<PathBuf>,
    outbound_proxy: Option<String>,
    google_discovery_url: Option<String>,
    cognito_discovery_url: Option<String>,
    amazon_token_info_url: Option<String>,
    facebook_graph_url: Option<String>,
    saml_replay: Option<SamlReplay>,
    allow_saml_sha1: Option<bool>,
    sign_in_links_again: Option<bool>,
    #[serde(default)]
    console_destination: Vec<String>,
    #[serde(default)]
    sign_in_provider: Vec<String>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// Host names are not looked up: what they mean may change, and where a server listens must not.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("give an IP address and a port, such as {LISTEN_DEFAULT}"))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    parse_address(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn parse_count<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "give a whole number from 1 on".to_owned())
}

fn count<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let given = toml::Value::deserialize(deserializer)?;
    let text = given.as_integer().map_or_else(String::new, |number| number.to_string());
    parse_count(&text).map(Some).map_err(D::Error::custom)
}

/// The settings a server runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Data directory.
    pub data: PathBuf,
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of health and metrics.
    pub admin_listen: SocketAddr,
    /// Certificate and key of the API.
    pub tls: Option<TlsFiles>,
    /// Whose `X-Forwarded-…` headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// Of the public URL.
    pub public_authority: Option<Authority>,
    /// Where the master key is, if not in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// The master key itself, from the environment.
    pub master_key: Option<Secret>,
    /// Header names in lower case.
    pub tolerated_unsigned_headers: Vec<String>,
    /// Whether Signature Version 2 is accepted.
    pub allow_signature_v2: bool,
    /// Audit file, if not in the data directory.
    pub audit_file: Option<PathBuf>,
    /// Bytes.
    pub audit_rotate_bytes: u64,
    /// Files.
    pub audit_keep: u32,
    /// Also to standard output.
    pub audit_stdout: bool,
    /// Sessions that the session log keeps.
    pub session_log_max: u32,
    /// Hours that decisions are kept.
    pub decision_log_hours: u32,
    /// What sessions depend on beside revocations.
    pub session_rules: SessionRules,
    /// The region that requests to STS must be signed for; none: any.
    pub sts_region: Option<String>,
    /// Which accounts run services.
    pub services: Services,
    /// What is allowed of issuers of tokens.
    pub issuers: Issuers,
    /// How SAML assertions are taken.
    pub saml: SamlSettings,
    /// How people sign in.
    pub sign_in: SignIn,
    /// How identity providers are asked.
    pub outbound: OutboundRules,
    /// Who vouches for their servers, if not the roots of this machine.
    pub ca_bundle: Option<PathBuf>,
    /// Log levels.
    pub log: String,
    /// Log form.
    pub log_format: LogFormat,
    /// `DAYPASS_ACCOUNT_ID`, `DAYPASS_ROOT_ACCESS_KEY_ID`, `DAYPASS_ROOT_SECRET_ACCESS_KEY`.
    pub pinned: Pinned,
}

/// What the environment pins for the first start.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// The first account.
    pub account_id: Option<String>,
    /// Its root key.
    pub access_key_id: Option<String>,
    /// And that key's secret.
    pub secret_access_key: Option<Secret>,
}

impl Pinned {
    fn by_environment() -> Self {
        Self {
            account_id: std::env::var("DAYPASS_ACCOUNT_ID").ok(),
            access_key_id: std::env::var("DAYPASS_ROOT_ACCESS_KEY_ID").ok(),
            secret_access_key: secret_variable("DAYPASS_ROOT_SECRET_ACCESS_KEY"),
        }
    }
}

impl Config {
    /// Where the master key is read.
    pub(crate) fn key_source(&self) -> KeySource {
        match (&self.master_key, &self.master_key_file) {
            (Some(_), _) => KeySource::Environment,
            (None, Some(file)) => KeySource::File(file.clone()),
            (None, None) => KeySource::Own,
        }
    }

    /// Put flags, environment and file together.
    ///
    /// # Errors
    /// The file cannot be read or holds an unknown name; a setting is out of its range.
    pub fn load(mut args: ServeArgs) -> Result<Self, Failure> {
        let mut file = read_file(args.config.as_deref())?;
        let (issuers, outbound) = issuers(&mut args, &mut file)?;
        let listen = args.listen.or(file.listen).unwrap_or(LISTEN_DEFAULT);
        let admin_listen = args.admin_listen.or(file.admin_listen).unwrap_or(ADMIN_LISTEN_DEFAULT);
        let plain_allowed = args.allow_plain_http.or(file.allow_plain_http).unwrap_or(false);
        let tls = tls_files(args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key))?;
        check_listeners(listen, admin_listen, tls.is_some(), plain_allowed)?;
        let public_url = args.public_url.or(file.public_url);
        let public_authority = public_url.as_deref().map(authority).transpose()?;
        if let (Some(_), Some(public), Some(url)) = (&tls, &public_authority, &public_url)
            && !public.is_https()
        {
            return Err(Failure::new(format!(
                "--public-url {url}: with --tls-cert clients speak TLS; give an https URL"
            )));
        }
        let proxies = either(args.trust_proxy, file.trust_proxy);
        let tolerated = either(args.tolerate_unsigned_header, file.tolerate_unsigned_header);
        let master_key_file = args.master_key_file.or(file.master_key_file);
        let master_key = master_key_beside(master_key_file.as_deref())?;
        Ok(Self {
            data: data_directory(args.data, file.data),
            listen,
            admin_listen,
            tls,
            trusted_proxies: networks("--trust-proxy", &proxies)?,
            public_authority,
            master_key_file,
            master_key,
            tolerated_unsigned_headers: tolerable(&tolerated)?,
            allow_signature_v2: args.allow_signature_v2.or(file.allow_signature_v2).unwrap_or(false),
            audit_file: args.audit_file.or(file.audit_file),
            audit_rotate_bytes: args
                .audit_rotate_mib
                .or(file.audit_rotate_mib)
                .map_or(64, NonZeroU64::get)
                .saturating_mul(1024 * 1024),
            audit_keep: args.audit_keep.or(file.audit_keep).map_or(16, NonZeroU32::get),
            audit_stdout: args.audit_stdout.or(file.audit_stdout).unwrap_or(false),
            session_log_max: args.session_log_max.or(file.session_log_max).map_or(100_000, NonZeroU32::get),
            decision_log_hours: args
                .decision_log_hours
                .or(file.decision_log_hours)
                .map_or(DECISION_LOG_HOURS, NonZeroU32::get),
            session_rules: SessionRules {
                end_with_key: args.end_sessions_with_key.or(file.end_sessions_with_key).unwrap_or(false),
            },
            sts_region: args.sts_region.or(file.sts_region),
            services: services(&either(args.service, file.service))?,
            issuers,
            saml: SamlSettings {
                replay: args.saml_replay.or(file.saml_replay).unwrap_or_default().into(),
                allow_sha1: args.allow_saml_sha1.or(file.allow_saml_sha1).unwrap_or(false),
            },
            sign_in: SignIn {
                links_again: args.sign_in_links_again.or(file.sign_in_links_again).unwrap_or(false),
                destinations: destinations(&either(args.console_destination, file.console_destination))?,
                providers: sign_in::providers(&either(args.sign_in_provider, file.sign_in_provider))?,
            },
            outbound,
            ca_bundle: args.ca_bundle.or(file.ca_bundle),
            log: args.log.or(file.log).unwrap_or_else(|| "info".into()),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            pinned: Pinned::by_environment(),
        })
    }
}

/// The master key that the environment gives, if no file gives one too.
///
/// # Errors
/// Both do.
pub(crate) fn master_key_beside(file: Option<&std::path::Path>) -> Result<Option<Secret>, Failure> {
    match (secret_variable("DAYPASS_MASTER_KEY"), file) {
        // With one of them silently left out, a rotation of the other would be no rotation.
        (Some(_), Some(path)) => Err(Failure::new(format!(
            "the master key is given twice, in DAYPASS_MASTER_KEY and by --master-key-file {}; leave one of them out",
            path.display()
        ))),
        (given, _) => Ok(given),
    }
}

fn secret_variable(name: &str) -> Option<Secret> {
    std::env::var(name).ok().map(Secret::new)
}

/// Certificate and key: both or neither.
fn tls_files(cert: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>, Failure> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        _ => Err(Failure::new("give --tls-cert and --tls-key together, or neither")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    #[test]
    fn help_names_the_defaults_that_are_in_force() {
        let help = ServeArgs::augment_args(Command::new("serve")).render_long_help().to_string();
        for default in
            [format!("./{DATA_DEFAULT}"), LISTEN_DEFAULT.to_string(), ADMIN_LISTEN_DEFAULT.to_string()]
        {
            assert!(help.contains(&format!("[default: {default}]")), "{default}");
        }
    }
}
