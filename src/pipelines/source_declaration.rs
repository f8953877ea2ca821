//! Sources on the network as written in `pipelines/*.yaml`: the raw structs, whose doc lines are the manual of the format.
//!
//! What the values mean and whether they fit together is checked in `check_source`.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::declarations::Spanned;

/// An HTTP endpoint that gives rows as NDJSON, CSV or JSON, perhaps page by page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHttp {
    /// Address of the endpoint, without parameters, e.g. `https://registry.example/api/v1/cases`.
    pub url: Spanned<String>,
    /// Parameters of every request. A secret one is `{env: NAME}` or `{file: path}`.
    #[serde(default)]
    pub query: IndexMap<String, Spanned<RawParameter>>,
    /// Headers of every request. A secret one is `{env: NAME}` or `{file: path}`.
    #[serde(default)]
    pub headers: IndexMap<String, Spanned<RawParameter>>,
    /// How the program proves who it is; absent: it does not.
    pub auth: Option<RawAuth>,
    /// Where the list of rows stands inside a JSON body: keys with dots between them, e.g. `data.items`; `.` if the body itself is the list.
    /// Its rows are read as NDJSON, so `format` is `ndjson`. Absent: the body is in the declared format.
    pub rows: Option<Spanned<String>>,
    /// How the endpoint cuts its rows into pages; absent: one answer has them all.
    pub paging: Option<RawPaging>,
    /// How only what is new is asked for; absent: every run asks for everything.
    pub cursor: Option<RawHttpCursor>,
    /// How long to wait for the endpoint.
    #[serde(default)]
    pub timeouts: RawTimeouts,
    /// What to do when the endpoint is busy or cannot be reached.
    #[serde(default)]
    pub retries: RawRetries,
    /// How much is taken at once.
    #[serde(default)]
    pub limits: RawLimits,
    /// PEM file, relative to the project, with certificates of authorities that are trusted besides those of the system.
    pub ca_file: Option<Spanned<String>>,
}

/// Objects of an S3-compatible store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawS3 {
    /// Bucket and pattern of the objects, e.g. `s3://registers/journals/2026-*.csv`; `**` stands for any folders.
    pub url: Spanned<String>,
    /// Address of the store, e.g. `https://storage.region.ru`; Amazon's if absent. Plain `http` is for this machine only.
    pub endpoint: Option<Spanned<String>>,
    /// Region of the store; `us-east-1` if absent, which most stores take.
    pub region: Option<Spanned<String>>,
    /// Whether the bucket stands in the path of an address instead of in its host name; true if absent.
    #[serde(default = "default_true")]
    pub path_style: bool,
    /// Where the access key lies.
    #[schemars(with = "RawSecret")]
    pub access_key: Spanned<RawParameter>,
    /// Where the secret key lies.
    #[schemars(with = "RawSecret")]
    pub secret_key: Spanned<RawParameter>,
}

fn default_true() -> bool {
    true
}

/// What may be pushed. The format is NDJSON; a body is acknowledged when it is durable, and read by the next run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPush {
    /// Longest body in bytes, unpacked, up to 268435456; 8388608 (8 MiB) if absent. A longer one is answered 413.
    pub max_body_bytes: Option<Spanned<u64>>,
    /// Most bytes that may wait for the next run; 1073741824 (1 GiB) if absent. What comes then is answered 429.
    pub max_pending_bytes: Option<Spanned<u64>>,
    /// Days for which an idempotency key is remembered, 1 to 366; 7 if absent. The two million newest are in any case.
    pub keep_keys_days: Option<Spanned<u16>>,
    /// What becomes of a body with bad rows; `refuse` if absent.
    #[serde(default)]
    pub on_bad_rows: RawOnBadRows,
}

/// What becomes of a body with bad rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawOnBadRows {
    /// Nothing of the body is taken; the answer is 422 and names each bad row.
    #[default]
    Refuse,
    /// The body is taken; the answer says how many rows go to quarantine with the next run.
    Quarantine,
}

/// A value, or the place where a secret lies.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub enum RawParameter {
    /// The value itself; never for a secret.
    Literal(#[schemars(with = "RawScalar")] String),
    /// Where a secret lies.
    Secret(RawSecret),
}

/// A value as YAML writes it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is there for the JSON Schema")]
enum RawScalar {
    /// Text.
    Text(String),
    /// Number.
    Number(f64),
    /// Truth value.
    Boolean(bool),
}

/// Where a secret lies: exactly one of the keys. It never stands in a declaration itself.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum RawSecret {
    /// Name of an environment variable that holds it.
    Env(String),
    /// File that holds it, relative to the project. Line breaks at its end do not belong to it.
    File(String),
}

/// How the program proves who it is: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawAuth {
    /// User and password.
    Basic(RawBasic),
    /// A token that does not change.
    Bearer(#[schemars(with = "RawSecret")] Spanned<RawParameter>),
    /// A token that a token server gives out (OAuth 2.0, client credentials). It is asked for anew when it expires or is refused.
    Oauth2(RawOauth2),
}

/// User and password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawBasic {
    /// Name of the user.
    pub user: Spanned<RawParameter>,
    /// Where the password lies.
    #[schemars(with = "RawSecret")]
    pub password: Spanned<RawParameter>,
}

/// OAuth 2.0 with client credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOauth2 {
    /// Address of the token server.
    pub token_url: Spanned<String>,
    /// Identifier of the client.
    pub client_id: Spanned<RawParameter>,
    /// Where the secret of the client lies.
    #[schemars(with = "RawSecret")]
    pub client_secret: Spanned<RawParameter>,
    /// What the token is asked for, in the words of the token server.
    pub scope: Option<Spanned<String>>,
    /// Where the token server expects identifier and secret; `header` if absent.
    #[serde(default)]
    pub credentials_in: CredentialsIn,
}

/// Where a token server expects identifier and secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsIn {
    /// In the `Authorization` header.
    #[default]
    Header,
    /// In the form that is sent.
    Body,
}

/// How an endpoint cuts its rows into pages: exactly one of the keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawPaging {
    /// Pages have numbers. A page without rows ends them.
    Page(RawPagePaging),
    /// Pages begin at a row. A page without rows ends them.
    Offset(RawOffsetPaging),
    /// Each page names the one after it by a text that is sent back.
    Cursor(RawTokenPaging),
    /// Each page has the address of the one after it.
    Link(RawLinkPaging),
}

/// Pages with numbers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPagePaging {
    /// Parameter that names the page; `page` if absent.
    pub parameter: Option<Spanned<String>>,
    /// Number of the first page; 1 if absent.
    pub first: Option<u64>,
    /// Where the number of the last page stands inside a JSON body, e.g. `meta.pages`. Absent: a page without rows ends the pages.
    pub last: Option<Spanned<String>>,
}

/// Pages that begin at a row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOffsetPaging {
    /// Parameter that says how many rows are skipped; `offset` if absent.
    pub parameter: Option<Spanned<String>>,
}

/// Pages that name the next one. It stands in `path` or in `header`; where it is missing, null or empty, the pages end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTokenPaging {
    /// Parameter in which the text is sent back; `cursor` if absent.
    pub parameter: Option<Spanned<String>>,
    /// Where the text stands inside a JSON body, e.g. `meta.next`.
    pub path: Option<Spanned<String>>,
    /// Header in which the text stands, e.g. `X-Next-Cursor`.
    pub header: Option<Spanned<String>>,
}

/// Pages with the address of the next one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLinkPaging {
    /// Where the address stands inside a JSON body, e.g. `links.next`. Absent: in the header `Link`, as `rel="next"`.
    pub path: Option<Spanned<String>>,
}

/// How an endpoint is asked for what is new only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHttpCursor {
    /// Declared column that grows with every change of a row: a date, a timestamp, a whole number or a text. Its largest value is where the next
    /// run goes on.
    pub column: Spanned<String>,
    /// Parameter in which the value is sent, e.g. `changed_since`.
    pub parameter: Spanned<String>,
    /// How a date or timestamp is sent, as a `chrono` pattern in the pipeline's time zone, e.g. `%d.%m.%Y %H:%M:%S`. Absent: ISO 8601, moments in
    /// UTC.
    pub format: Option<Spanned<String>>,
    /// What the first run sends, written as in the column. Absent: the first run does not send the parameter and gets everything.
    pub start: Option<Spanned<String>>,
    /// How late a row may come in: the next run asks from so long before the largest value on, e.g. `3d`, `12h`; for a whole number, by how
    /// much. Rows that are known already count as duplicates.
    pub late_window: Option<Spanned<String>>,
}

/// How long to wait, e.g. `500ms`, `30s`, `5m`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTimeouts {
    /// For a connection; `10s` if absent.
    pub connect: Option<Spanned<String>>,
    /// For the next bytes of an answer; `60s` if absent.
    pub idle: Option<Spanned<String>>,
    /// For a whole answer; `30m` if absent.
    pub request: Option<Spanned<String>>,
}

/// What to do on a lost connection, a broken answer and the statuses 408, 429, 500, 502, 503 and 504. A wait that the endpoint asks for
/// (`Retry-After`) is obeyed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRetries {
    /// How often a page is asked for at most; 6 if absent.
    pub attempts: Option<u32>,
    /// Wait after the first failure, e.g. `1s`; it doubles with each further one and varies at random. `1s` if absent.
    pub first_wait: Option<Spanned<String>>,
    /// Longest wait; if the endpoint asks for a longer one, the run ends and the next one goes on at the same page. `5m` if absent.
    pub longest_wait: Option<Spanned<String>>,
}

/// How much is taken at once.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLimits {
    /// Largest body of one answer in bytes; 1 GiB if absent. A JSON body is held in memory, any other on disk.
    pub body_bytes: Option<Spanned<u64>>,
    /// Pages are put together until they have so many bytes and then become one batch; 32 MiB if absent.
    pub unit_bytes: Option<Spanned<u64>>,
}

/// A query to a PostgreSQL database. It runs in a read-only transaction, and its rows have no `format` of their own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPostgres {
    /// Where the connection string lies: `postgres://user:password@host:5432/database` or `host=… user=… dbname=…`.
    #[schemars(with = "RawSecret")]
    pub connection: Spanned<RawParameter>,
    /// One SELECT. Its columns have the names that `columns` expect; other columns are not fetched.
    pub query: Spanned<String>,
    /// How only what is new is asked for; absent: every run asks for everything.
    pub cursor: Option<RawPostgresCursor>,
    /// Whether TLS is used and what is checked; that of the connection string if absent, `verify-full` if that has none. A Unix socket
    /// has no TLS.
    pub sslmode: Option<SslMode>,
    /// PEM file, relative to the project, with certificates of authorities that are trusted besides those of the system.
    pub ca_file: Option<Spanned<String>>,
    /// How long to wait for a connection; `10s` if absent.
    pub connect_timeout: Option<Spanned<String>>,
    /// How long the server may work on the query; `30m` if absent.
    pub statement_timeout: Option<Spanned<String>>,
}

/// How a query is asked for what is new only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPostgresCursor {
    /// Declared column that grows with every change of a row: a date, a timestamp, a whole number or a text. Its largest value is where the next
    /// run goes on.
    pub column: Spanned<String>,
    /// How late a row may come in: the next run asks from so long before the largest value on, e.g. `3d`, `12h`; for a whole number, by how
    /// much. Rows that are known already count as duplicates.
    pub late_window: Option<Spanned<String>>,
}

/// Whether TLS is used with a database, and what is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS if the server has it; nothing is checked.
    Prefer,
    /// TLS; nothing is checked.
    Require,
    /// TLS; the certificate comes from a trusted authority.
    VerifyCa,
    /// TLS; the certificate comes from a trusted authority and belongs to the host.
    VerifyFull,
}

impl<'de> Deserialize<'de> for RawParameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

/// Reads a scalar as its text, and a map as the place of a secret.
struct ParameterVisitor;

impl<'de> Visitor<'de> for ParameterVisitor {
    type Value = RawParameter;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value, `{env: NAME}` or `{file: path}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RawParameter, E> {
        Ok(RawParameter::Literal(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<RawParameter, E> {
        Ok(RawParameter::Literal(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<RawParameter, E> {
        Ok(RawParameter::Literal(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<RawParameter, E> {
        Ok(RawParameter::Literal(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<RawParameter, E> {
        Ok(RawParameter::Literal(value.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawParameter, A::Error> {
        let secret = match map.next_key::<String>()?.as_deref() {
            Some("env") => RawSecret::Env(map.next_value()?),
            Some("file") => RawSecret::File(map.next_value()?),
            Some(other) => return Err(A::Error::unknown_variant(other, &["env", "file"])),
            None => return Err(A::Error::custom("expected `{env: NAME}` or `{file: path}`")),
        };
        match map.next_key::<String>()? {
            Some(_) => Err(A::Error::custom("expected exactly one of `env` and `file`")),
            None => Ok(RawParameter::Secret(secret)),
        }
    }
}
