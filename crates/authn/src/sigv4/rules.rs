//! What an endpoint demands of a signature. Plain data; [`verify`](super::verify) obeys it.

/// Which service the scope must name.
#[derive(Debug, Clone, Copy)]
pub enum ServiceRule<'a> {
    /// This one.
    Exactly(&'a str),
    /// One of these.
    OneOf(&'a [&'a str]),
    /// Any but these, whatever their case: for whoever checks requests made to other services.
    AnyBut(&'a [&'a str]),
}

/// How the canonical URI is made from the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathRule {
    /// Remove dot segments and double slashes, then encode again: every service but the S3 family.
    Normalise,
    /// The path as sent, in its canonical spelling: the S3 family.
    AsSent,
}

/// How the payload hash of the canonical request is made, and whose words errors use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadRule {
    /// Always the SHA-256 of the body; `x-amz-content-sha256`, if sent, must equal it. Every service but S3.
    HashOfBody,
    /// The S3 family: what `x-amz-content-sha256` says, `UNSIGNED-PAYLOAD` for presigned requests without it.
    S3 {
        /// Whether `UNSIGNED-PAYLOAD` is accepted.
        allow_unsigned: bool,
    },
}

/// What is known of the body's SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyHash {
    /// It is that of [`HttpRequest::body`](super::HttpRequest::body).
    OfRequest,
    /// Somebody else holds the body and says its hash is this.
    Known([u8; 32]),
    /// Somebody else holds the body and has not said.
    Unknown,
}

/// How long a presigned request lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresignedLifetime {
    /// Fifteen minutes from its time, whatever `X-Amz-Expires` says: STS.
    FifteenMinutes,
    /// As `X-Amz-Expires` says, and fifteen minutes at most: IAM and our other APIs.
    WithinFifteenMinutes,
    /// As `X-Amz-Expires` says, which must be there, 1–604,800 seconds: requests to other services.
    FromExpires,
}

/// What an endpoint demands of a signature.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The service in the scope.
    pub service: ServiceRule<'a>,
    /// The region in the scope; `None` accepts any (clients of a self-hosted endpoint sign for their own).
    pub region: Option<&'a str>,
    /// How far the request's time may lie from now, either way, in seconds.
    pub window_seconds: i64,
    /// How the canonical URI is made.
    pub path: PathRule,
    /// How the payload hash is made.
    pub payload: PayloadRule,
    /// What is known of the body.
    pub body: BodyHash,
    /// How long a presigned request lives.
    pub presigned: PresignedLifetime,
    /// `x-amz-*` fields (lower case) that a proxy in front adds: tolerated unsigned, without any meaning.
    pub tolerated_unsigned: &'a [&'a str],
}

impl<'a> Rules<'a> {
    /// The rules of an AWS Query or JSON service such as STS, IAM or our own.
    #[must_use]
    pub fn for_service(service: &'a str) -> Self {
        Self {
            service: ServiceRule::Exactly(service),
            region: None,
            window_seconds: 900,
            path: PathRule::Normalise,
            payload: PayloadRule::HashOfBody,
            body: BodyHash::OfRequest,
            presigned: match service {
                "sts" => PresignedLifetime::FifteenMinutes,
                _ => PresignedLifetime::WithinFifteenMinutes,
            },
            tolerated_unsigned: &[],
        }
    }

    /// The rules for a request that was made to another service, whose signing name is `service`.
    /// `refused` are signing names that nobody may have checked here.
    #[must_use]
    pub fn for_another_service(service: &str, refused: &'a [&'a str], body: BodyHash) -> Self {
        let s3 = is_s3_family(service);
        Self {
            service: ServiceRule::AnyBut(refused),
            region: None,
            window_seconds: 900,
            path: if s3 { PathRule::AsSent } else { PathRule::Normalise },
            payload: if s3 { PayloadRule::S3 { allow_unsigned: true } } else { PayloadRule::HashOfBody },
            body,
            presigned: PresignedLifetime::FromExpires,
            tolerated_unsigned: &[],
        }
    }
}

/// Whether a signing name belongs to the services whose paths are signed as sent.
#[must_use]
pub fn is_s3_family(service: &str) -> bool {
    matches!(service, "s3" | "s3express" | "s3-object-lambda" | "s3-outposts")
}
