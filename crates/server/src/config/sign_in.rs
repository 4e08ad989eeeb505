//! `--sign-in-provider`: identity providers that people sign in at.

use std::path::Path;

use daypass_model::{Arn, Secret};
use daypass_service::federation::SignInProvider;

use crate::data_dir::read_handed_secret;
use crate::failure::Failure;

/// `NAME PROVIDER-ARN CLIENT-ID`, and the file of the client's secret where it has one.
pub(super) fn providers(texts: &[String]) -> Result<Vec<SignInProvider>, Failure> {
    let providers = texts.iter().map(|text| provider(text)).collect::<Result<Vec<_>, _>>()?;
    for (n, one) in providers.iter().enumerate() {
        if providers.iter().skip(n + 1).any(|other| other.name == one.name) {
            let name = &one.name;
            return Err(Failure::new(format!("--sign-in-provider {name}: two providers are called so")));
        }
    }
    Ok(providers)
}

fn provider(text: &str) -> Result<SignInProvider, Failure> {
    let wrong = |why: &str| {
        Failure::new(format!(
            "--sign-in-provider {text:?}: {why}; give a name, the provider's ARN, a client id, and the file of its secret if it has one, with blanks between them"
        ))
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (name, arn, client_id, file) = match words.as_slice() {
        [name, arn, client_id] => (*name, *arn, *client_id, None),
        [name, arn, client_id, file] => (*name, *arn, *client_id, Some(Path::new(*file))),
        _ => return Err(wrong("it has not three or four words")),
    };
    let is_name = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_name {
        return Err(wrong("a name has 1 to 32 small letters, digits and hyphens"));
    }
    let parsed: Option<Arn> = arn.parse().ok();
    let is_provider = |arn: &Arn| {
        arn.service() == "iam" && arn.resource_parts().is_some_and(|(kind, _)| kind == "oidc-provider")
    };
    let account = parsed.filter(is_provider).and_then(|arn| arn.account_id());
    let account = account.ok_or_else(|| wrong("the ARN is none of an OpenID Connect provider"))?;
    let secret = file.map(|file| {
        let read = read_handed_secret(file);
        read.map_err(|error| Failure::disk(&format!("`{}` cannot be read", file.display()), &error))
    });
    let secret = secret.transpose()?.map(|secret| Secret::new(secret.expose_str().trim().to_owned()));
    if secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
        return Err(wrong("the file of its secret is empty"));
    }
    let (name, arn, client_id) = (name.to_owned(), arn.to_owned(), client_id.to_owned());
    Ok(SignInProvider { name, account, arn, client_id, secret })
}

#[cfg(test)]
mod tests {
    //! What is a provider, and what is refused with the reason.

    use super::*;

    const ARN: &str = "arn:aws:iam::111122223333:oidc-provider/login.example.com";

    #[test]
    fn a_provider_has_three_words_or_four() {
        let one = provider(&format!("northwind {ARN} console")).unwrap();
        assert_eq!(
            (one.name.as_str(), one.arn.as_str(), one.client_id.as_str()),
            ("northwind", ARN, "console")
        );
        assert!(one.account.as_str() == "111122223333" && one.secret.is_none());
        for (text, why) in [
            ("northwind", "three or four words"),
            (&*format!("North {ARN} console"), "small letters"),
            (&*format!("a/b {ARN} console"), "small letters"),
            ("northwind arn:aws:iam::111122223333:role/x console", "OpenID Connect provider"),
            ("northwind https://login.example.com console", "OpenID Connect provider"),
            (&*format!("northwind {ARN} console /nowhere/at/all"), "cannot be read"),
        ] {
            let failure = provider(text).unwrap_err().to_string();
            assert!(failure.contains(why), "{text}: {failure}");
        }
        let twice = [format!("a {ARN} one"), format!("a {ARN} two")];
        assert!(providers(&twice).unwrap_err().to_string().contains("two providers are called so"));
    }
}
