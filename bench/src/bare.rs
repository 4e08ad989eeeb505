//! The yardstick: hyper, one fixed answer, nothing else.
//!
//! It has the same runtime, socket option and response headers as daypass, reads the whole request, and
//! does no work of its own, or verifies one signature with the crypto library.

use std::convert::Infallible;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Outcome;
use crate::issuer::{Issuer, Signed};

/// Serve until killed; announces itself as `daypass serve` does.
pub(crate) fn serve(bytes: usize, verify: Option<Signed>) -> Outcome<()> {
    let work = verify.map(Work::new).transpose()?.map(Arc::new);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("  endpoint  http://{}\nready", listener.local_addr()?);
        let body = Bytes::from(vec![b'x'; bytes]);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (body, work) = (body.clone(), work.clone());
            let service = service_fn(move |request| answer(request, body.clone(), work.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

/// A signature that is verified over and over.
struct Work {
    key: ParsedPublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Work {
    fn new(signed: Signed) -> Outcome<Self> {
        let issuer = Issuer::start()?;
        let algorithm: &'static dyn VerificationAlgorithm = match signed {
            Signed::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Signed::Es256 => &ECDSA_P256_SHA256_FIXED,
        };
        let key = ParsedPublicKey::new(algorithm, issuer.public_key(signed))?;
        let message = vec![b'x'; 300];
        let signature = issuer.sign(signed, &message)?;
        Ok(Self { key, message, signature })
    }

    fn is_good(&self) -> bool {
        self.key.verify_sig(&self.message, &self.signature).is_ok()
    }
}

async fn answer(
    request: Request<Incoming>,
    body: Bytes,
    work: Option<Arc<Work>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    const REQUEST_ID: HeaderValue = HeaderValue::from_static("00000000-0000-4000-8000-000000000000");
    drop(request.into_body().collect().await);
    let good = work.is_none_or(|work| work.is_good());
    let mut response = Response::new(Full::new(if good { body } else { Bytes::new() }));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response.headers_mut().insert("x-amzn-requestid", REQUEST_ID);
    Ok(response)
}
