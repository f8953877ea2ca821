//! S3-compatible stores: how one is asked, and what its refusals mean. Knows neither registers nor the lake.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, RetryConfig};

use crate::secrets::{Secret, SecretError};

/// Region of a store that has none of its own.
pub const DEFAULT_REGION: &str = "us-east-1";
/// How often a request is repeated, and for how long altogether.
const MAX_RETRIES: usize = 5;
const RETRY_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time for one answer with its body; a body that takes longer is asked for again from where it was.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(5);

/// A bucket of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Store {
    /// The bucket.
    pub bucket: String,
    /// Address of the store; Amazon's if none.
    pub endpoint: Option<String>,
    /// Region of the store.
    pub region: String,
    /// Whether the bucket stands in the path of an address.
    pub path_style: bool,
    /// Where the access key is.
    pub access_key: Secret,
    /// Where the secret key is.
    pub secret_key: Secret,
}

/// Why a store cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A key of the store is not there.
    #[error("`{key}`")]
    Secret {
        /// `access_key` or `secret_key`.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        cause: SecretError,
    },
    /// The settings make no client.
    #[error("the store of `s3://{bucket}` cannot be asked")]
    Settings {
        /// The bucket.
        bucket: String,
        /// What is wrong.
        #[source]
        cause: object_store::Error,
    },
}

impl S3Store {
    /// A client of the bucket, which asks nothing yet. Its keys are read where they lie.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn client(&self, project: &Path) -> Result<AmazonS3, ClientError> {
        let Self { bucket, endpoint, region, path_style, access_key, secret_key } = self;
        let read = |key, secret: &Secret| secret.read(project).map_err(|cause| ClientError::Secret { key, cause });
        let retry = RetryConfig { max_retries: MAX_RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
        // Whether plain HTTP may be declared is checked with the declaration.
        let is_plain = endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let client = ClientOptions::new().with_timeout(REQUEST_TIMEOUT).with_allow_http(is_plain);
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_virtual_hosted_style_request(!path_style)
            .with_access_key_id(read("access_key", access_key)?)
            .with_secret_access_key(read("secret_key", secret_key)?)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = endpoint {
            let host_style = || endpoint.replacen("://", &format!("://{bucket}."), 1);
            builder = builder.with_endpoint(if *path_style { endpoint.clone() } else { host_style() });
        }
        builder.build().map_err(|cause| ClientError::Settings { bucket: bucket.clone(), cause })
    }
}

/// What a store refuses for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such bucket.
    NoBucket,
    /// It does not know the keys, or they may not do this.
    Keys,
}

/// What a store refuses; none if an error is no refusal. Its kind is known for objects only; for a list the answer's text has to tell.
#[must_use]
pub fn refusal_of(error: &object_store::Error) -> Option<Refusal> {
    const REFUSALS: [&str; 4] = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403 Forbidden"];
    let text = whole_text(error);
    if text.contains("NoSuchBucket") {
        return Some(Refusal::NoBucket);
    }
    REFUSALS.iter().any(|refusal| text.contains(refusal)).then_some(Refusal::Keys)
}

/// The sentences of an error and of its causes.
fn whole_text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
