//! What a server says when it is ready: where it answers, and lines to paste into a shell.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use daypass_model::{AccountId, Authority};

use crate::data_dir::names::ROOT_CREDENTIALS;
use crate::first_account::FirstStart;

/// The banner; displays as its text.
pub(crate) struct Banner<'a> {
    pub(crate) data: &'a Path,
    /// Where clients reach the API.
    pub(crate) url: String,
    /// The region that they sign for.
    pub(crate) region: &'a str,
    pub(crate) admin: SocketAddr,
    pub(crate) first: Option<&'a FirstStart>,
    pub(crate) accounts: &'a [AccountId],
    /// Whether Signature Version 2 is accepted.
    pub(crate) signature_v2: bool,
    /// Whether it goes to a terminal, and not into a pipe.
    pub(crate) terminal: bool,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, url, region, admin, first, accounts, signature_v2, terminal } = self;
        let accounts: Vec<_> = accounts.iter().map(|id| id.as_str()).collect();
        writeln!(f, "daypass {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "  endpoint  {url}")?;
        writeln!(f, "  admin     http://{admin} (/healthz /readyz /metrics)")?;
        writeln!(f, "  account   {}", accounts.join(", "))?;
        writeln!(f, "  data      {}", data.display())?;
        if *signature_v2 {
            writeln!(f, "  warning   Signature Version 2 is accepted (--allow-signature-v2)")?;
        }
        let credentials = data.join(ROOT_CREDENTIALS);
        if let Some(first) = first {
            writeln!(f, "  first start: made the account {} and its root key", first.account)?;
            f.write_str(&key_line(first, *terminal))?;
        } else if credentials.exists() {
            writeln!(f, "  root key  in {}", credentials.display())?;
        }
        writeln!(f, "\nPoint AWS clients here:\n  {}\n\nTry:", export_line(url, region))?;
        if credentials.exists() {
            let path = std::path::absolute(&credentials).unwrap_or(credentials);
            let path = path.to_string_lossy();
            writeln!(f, "  export AWS_SHARED_CREDENTIALS_FILE={}", shell_word(&path))?;
        }
        writeln!(f, "  aws sts get-caller-identity\n  aws iam create-user --user-name alice\n")
    }
}

/// The public URL if there is one; else the address, or this machine's where that is every address.
pub(crate) fn url_for_clients(public: Option<&Authority>, scheme: &str, address: SocketAddr) -> String {
    if let Some(authority) = public {
        let scheme = if authority.is_https() { "https" } else { "http" };
        return format!("{scheme}://{authority}");
    }
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

/// Secrets go to a terminal only; logs of a service manager get the file's name.
fn key_line(first: &FirstStart, terminal: bool) -> String {
    match (&first.secret, &first.credentials) {
        (Some(secret), Some(path)) if terminal => format!(
            "  root key  {}  {}   (also in {}; shown this once)\n",
            first.access_key_id,
            secret.expose_str(),
            path.display()
        ),
        (_, Some(path)) => format!("  root key  {} in {}\n", first.access_key_id, path.display()),
        _ => format!("  root key  {} as given by the environment\n", first.access_key_id),
    }
}

/// The line that points an unmodified AWS SDK or CLI here.
pub(crate) fn export_line(url: &str, region: &str) -> String {
    let (url, region) = (shell_word(url), shell_word(region));
    format!(
        "export AWS_ENDPOINT_URL_STS={url} AWS_ENDPOINT_URL_IAM={url} AWS_ENDPOINT_URL_DAYPASS={url} AWS_REGION={region} AWS_DEFAULT_REGION={region}"
    )
}

/// Text as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sent_where_they_can_reach_it() {
        let at = |text: &str| url_for_clients(None, "http", text.parse().unwrap());
        assert_eq!(at("127.0.0.1:7777"), "http://127.0.0.1:7777");
        assert_eq!(at("0.0.0.0:7777"), "http://127.0.0.1:7777");
        assert_eq!(at("[::]:7777"), "http://[::1]:7777");
        for url in ["https://sts.example.com", "http://sts.example.com:8080"] {
            let public = url.parse().unwrap();
            assert_eq!(url_for_clients(Some(&public), "http", "127.0.0.1:7777".parse().unwrap()), url);
        }
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(shell_word("/srv/daypass-data/root-credentials"), "/srv/daypass-data/root-credentials");
        assert_eq!(shell_word("/a b/it's$(x)"), r"'/a b/it'\''s$(x)'");
        let line = export_line("http;id://[::1]:7", "eu west");
        assert!(line.starts_with("export AWS_ENDPOINT_URL_STS='http;id://[::1]:7' "), "{line}");
        assert!(line.ends_with(" AWS_REGION='eu west' AWS_DEFAULT_REGION='eu west'"), "{line}");
    }
}
