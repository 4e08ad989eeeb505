//! A small object service that stands behind daypass.
//!
//! It keeps files in a folder and knows no users, no signatures and no policies. `Bucket::reply` is the life of a
//! request: find out *what* is asked (`asked`), ask daypass *who* signed it and whether they may ([`check`]), and
//! only then touch the folder ([`folder`]).
//!
//! The requests are those of the Amazon S3 API (path-style addressing), as far as they are here; what is not here is
//! refused, never ignored.

mod answer;
mod asked;
pub mod check;
pub mod folder;
mod serve;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use daypass_authn::sigv4::{HttpRequest, Place, Presented, presented};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{Refusal, Reply, internal, not_implemented, refuse};
use crate::asked::{Asked, text};
use crate::check::Daypass;
use crate::folder::Folder;
pub use crate::serve::serve;

/// The service: one bucket.
pub struct Bucket {
    /// Its name, as paths and ARNs write it.
    pub name: String,
    /// `host:port` that clients sign for. Configured: a `Host` field is the client's word, and a request that was
    /// signed for another service must not count here.
    pub authority: String,
    /// Where the objects are.
    pub folder: Folder,
    /// Whom to ask.
    pub daypass: Daypass,
}

impl Bucket {
    /// A request in three steps: what is asked? may they? do it.
    async fn reply(self: Arc<Self>, peer: IpAddr, request: Request<Incoming>) -> Result<Reply, Refusal> {
        let (head, body) = request.into_parts();
        let asked = Asked::read(&self.name, &head)?;
        for_s3(&head)?;
        let body = serve::read_body(&head, body).await?;
        self.permit(peer, &head, &asked, &body).await?;
        tokio::task::spawn_blocking(move || self.act(&asked, &body)).await.map_err(io::Error::other)?
    }

    /// Ask daypass. `Ok` is the only permission there is.
    async fn permit(&self, peer: IpAddr, head: &Parts, asked: &Asked, body: &[u8]) -> Result<(), Refusal> {
        let (action, resource) = asked.named(&self.name);
        let sha256 = Sha256::digest(body);
        // All of them: one that was not signed must be seen to be refused.
        let headers = head.headers.iter().map(|(name, value)| {
            json!({"Name": name.as_str(), "Value": String::from_utf8_lossy(value.as_bytes())})
        });
        let question = json!({
            "Request": {
                "Method": head.method.as_str(),
                "Url": format!("http://{}{}", self.authority, target(head)),
                "Headers": headers.collect::<Value>(),
                "BodySha256": HEXLOWER.encode(&sha256),
            },
            "Action": action,
            "Resource": resource,
            "Context": asked.context(peer, &self.daypass.region, &head.headers),
        });
        let answer = self.daypass.check(&question).await.map_err(|why| internal(format!("{why:#}")))?;
        let said = |member| answer.pointer(member).and_then(Value::as_str);
        if let Some(code) = said("/AuthenticationError/Code") {
            return Err(refuse(403, code, said("/AuthenticationError/Message").unwrap_or_default()));
        }
        if said("/Decision") != Some("Allowed") {
            let who = said("/Principal/Arn").unwrap_or("anonymous");
            let what = format!("is not authorized to perform: {action} on resource: \"{resource}\"");
            let why = said("/DenialReason").unwrap_or_default();
            return Err(refuse(403, "AccessDenied", format!("User: {who} {what} {why}").trim_end()));
        }
        bound(&head.headers, &sha256, said("/PayloadHash"))
    }

    /// Do what is permitted.
    fn act(&self, asked: &Asked, body: &[u8]) -> Result<Reply, Refusal> {
        match asked {
            Asked::Get(key) => match self.folder.read(key)? {
                Some((bytes, modified)) => Ok(answer::object(bytes, modified)),
                None => Err(refuse(404, "NoSuchKey", "The specified key does not exist.")),
            },
            Asked::Put(key) => {
                self.folder.write(key, body)?;
                Ok(answer::stored(body))
            }
            Asked::Delete(key) => {
                self.folder.remove(key)?;
                Ok(answer::gone())
            }
            Asked::List(query) => {
                // A continuation token is the last key of the page before.
                let after = text(query, "continuation-token").max(text(query, "start-after"));
                let found = self.folder.list(text(query, "prefix"), after, text(query, "delimiter"))?;
                Ok(answer::list(&self.name, query, &found))
            }
        }
    }
}

/// Path and query as they came.
fn target(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("/", |target| target.as_str())
}

/// What was signed for another service is not meant for this one. daypass verifies requests to any service; that they
/// are for the one that asks is for that one to see.
fn for_s3(head: &Parts) -> Result<(), Refusal> {
    let mut request = HttpRequest::new(head.method.as_str(), target(head), "");
    for (name, value) in &head.headers {
        request = request.with_header(name.as_str(), value.as_bytes());
    }
    let Ok(Presented::SigV4(proof)) = presented(&request) else {
        return Ok(()); // no credential, or a bad one, of which daypass says what is wrong
    };
    let (code, what) = match proof.place {
        _ if proof.scope.service == "s3" => return Ok(()),
        Place::Header => ("AuthorizationHeaderMalformed", "The authorization header is malformed"),
        Place::Query => ("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter"),
    };
    let service = proof.scope.service;
    let message = format!("{what}; incorrect service \"{service}\". This endpoint belongs to \"s3\".");
    Err(refuse(400, code, message))
}

/// Whether the body that came is the one that was signed for: by its hash, or by a checksum in a field.
fn bound(fields: &HeaderMap, sha256: &[u8], payload_hash: Option<&str>) -> Result<(), Refusal> {
    let signed = payload_hash.filter(|hash| *hash != "UNSIGNED-PAYLOAD");
    // daypass has compared the hashes; whoever stores what it did not hash itself compares here.
    if signed.is_some_and(|hash| hash != HEXLOWER.encode(sha256)) {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(refuse(400, "XAmzContentSHA256Mismatch", message));
    }
    for (name, value) in fields {
        match name.as_str() {
            "x-amz-checksum-mode" => {} // what a reader wants to be told
            "x-amz-checksum-sha256" if *value == BASE64.encode(sha256) => {}
            "x-amz-checksum-sha256" => {
                let message = "The SHA256 you specified did not match the calculated checksum.";
                return Err(refuse(400, "BadDigest", message));
            }
            // Where the hash is signed it adds nothing. Elsewhere it may be all that the signer said of the body.
            name if signed.is_none() && (name == "content-md5" || name.starts_with("x-amz-checksum-")) => {
                return Err(not_implemented(format!("`{name}` for a body whose hash is not signed")));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `bound` for the body `good`, whose SHA-256 is `signed` or not.
    fn refusal(signed: bool, name: &'static str, value: &str) -> Option<String> {
        let sha256 = Sha256::digest(b"good");
        let fields = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let hash = if signed { HEXLOWER.encode(&sha256) } else { "UNSIGNED-PAYLOAD".to_owned() };
        bound(&fields, &sha256, Some(&hash)).err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_request_that_was_signed_for_another_service_is_refused() {
        let refused = |service: &str, presigned: bool| {
            let credential = format!("AKIDEXAMPLE/20260115/us-east-1/{service}/aws4_request");
            let request = if presigned {
                let rest = "X-Amz-Date=20260115T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
                let algorithm = "X-Amz-Algorithm=AWS4-HMAC-SHA256";
                Request::get(format!("/mybucket/a?{algorithm}&X-Amz-Credential={credential}&{rest}"))
            } else {
                let signed = format!("Credential={credential}, SignedHeaders=host, Signature=00");
                let signed = format!("AWS4-HMAC-SHA256 {signed}");
                Request::get("/mybucket/a")
                    .header("authorization", signed)
                    .header("x-amz-date", "20260115T120000Z")
            };
            for_s3(&request.body(()).unwrap().into_parts().0).err().map(|refusal| refusal.code)
        };
        assert_eq!(refused("foo", false).as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(refused("foo", true).as_deref(), Some("AuthorizationQueryParametersError"));
        for presigned in [false, true] {
            assert_eq!(refused("s3", presigned), None);
        }
        let unsigned = Request::get("/mybucket/a").body(()).unwrap();
        assert!(for_s3(&unsigned.into_parts().0).is_ok());
    }

    #[test]
    fn a_body_other_than_the_signed_hash_is_refused() {
        let (good, evil) = (Sha256::digest(b"good"), HEXLOWER.encode(&Sha256::digest(b"evil")));
        let refused = bound(&HeaderMap::new(), &good, Some(&evil)).unwrap_err();
        assert_eq!(refused.code, "XAmzContentSHA256Mismatch");
        assert!(bound(&HeaderMap::new(), &good, Some("UNSIGNED-PAYLOAD")).is_ok());
        assert!(bound(&HeaderMap::new(), &good, None).is_ok());
    }

    #[test]
    fn a_body_other_than_the_signed_checksum_is_refused() {
        let checksum = |body: &[u8]| BASE64.encode(&Sha256::digest(body));
        for signed in [true, false] {
            assert_eq!(refusal(signed, "x-amz-checksum-sha256", &checksum(b"good")), None);
            let refused = refusal(signed, "x-amz-checksum-sha256", &checksum(b"evil"));
            assert_eq!(refused.as_deref(), Some("BadDigest"));
        }
    }

    #[test]
    fn a_checksum_that_nobody_computes_is_refused_unless_the_hash_is_signed() {
        for name in ["content-md5", "x-amz-checksum-crc32", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1"]
        {
            assert_eq!(refusal(false, name, "AAAAAA==").as_deref(), Some("NotImplemented"), "{name}");
            assert_eq!(refusal(true, name, "AAAAAA=="), None, "{name}");
        }
        assert_eq!(refusal(false, "x-amz-checksum-mode", "ENABLED"), None);
    }
}
