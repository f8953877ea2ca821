//! Who an endpoint lets in, and who gets to see a secret.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tls_server::serve_tls;

use super::http_register::{Asked, Register, SOON, answer, failure, ok, project, rows};

const NDJSON: &str = "{ndjson: {}}";

fn lets_in(asked: &Asked, header: &str, value: &str) -> Response<Body> {
    if asked.header(header) == value { ok(rows(0..2)) } else { answer(401, &[], "no") }
}

#[tokio::test]
async fn secrets_come_from_files_and_the_environment() {
    let register = Register::start(|asked| match asked.path.as_str() {
        "/basic" => lets_in(asked, "authorization", "Basic c3ZvZDpzM2NyZXQ="),
        "/bearer" => lets_in(asked, "authorization", "Bearer s3cret"),
        "/header" => lets_in(asked, "x-api-key", "svod"),
        _ if asked.parameter("key") == "s3cret" => ok(rows(0..2)),
        _ => answer(403, &[], "no"),
    })
    .await;
    let cases = [
        ("/basic", "auth: {basic: {user: svod, password: {file: secrets/one}}}"),
        ("/bearer", "auth: {bearer: {file: secrets/one}}"),
        // The name of this package is in the environment of every test.
        ("/header", "headers: {X-Api-Key: {env: CARGO_PKG_NAME}}"),
        ("/query", "query: {key: {file: secrets/one}}"),
    ];
    for (path, access) in cases {
        let source = format!("url: \"{}\", {access}, {SOON}", register.url(path));
        let project = project(&source, NDJSON);
        project.write("secrets/one", "s3cret\n");
        let report = project.run().await;
        assert_eq!((report.accepted, report.failures.len()), (2, 0), "{path}");
        project.write("secrets/one", "wrong one\n");
        if path != "/header" {
            fs_err::remove_dir_all(project.data_dir()).unwrap();
            let told = failure(project.run().await);
            assert!(told.contains("check `auth` and the secrets it names"), "{told}");
            assert!(!told.contains("wrong") && !told.contains('?'), "{told}");
            fs_err::remove_file(project.root().join("secrets/one")).unwrap();
            let told = failure(project.run().await);
            assert!(told.contains("the file `secrets/one` cannot be read"), "{told}");
        }
    }
    let unset = format!("url: \"{}\", auth: {{bearer: {{env: SVOD_NO_SUCH_SECRET}}}}", register.url("/bearer"));
    let told = failure(project(&unset, NDJSON).run().await);
    assert!(told.ends_with("the environment variable `SVOD_NO_SUCH_SECRET` is not set; it has to hold a secret"));
}

/// A register whose token server gives out `t1`, `t2` and so on, and which takes those that `is_good` names.
async fn with_tokens(is_good: fn(&str, &str) -> bool) -> Register {
    let n_tokens = std::sync::atomic::AtomicUsize::new(0);
    Register::start(move |asked| match asked.path.as_str() {
        "/token" => {
            let in_body = asked.body == "grant_type=client_credentials&scope=read&client_id=svod&client_secret=s3+%26";
            let in_header = asked.body == "grant_type=client_credentials&scope=read"
                && asked.header("authorization") == "Basic c3ZvZDpzMyslMjY=";
            if !in_body && !in_header {
                return answer(401, &[], "{\"error\": \"invalid_client\", \"error_description\": \"s3 &\"}");
            }
            let number = 1 + n_tokens.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            ok(format!("{{\"access_token\": \"t{number}\", \"token_type\": \"bearer\", \"expires_in\": 3600}}"))
        }
        _ if !is_good(asked.header("authorization"), asked.parameter("page")) => answer(401, &[], ""),
        _ if asked.parameter("page") == "4" => ok(""),
        _ => {
            let number: u32 = asked.parameter("page").parse().unwrap();
            ok(rows(number * 2..number * 2 + 2))
        }
    })
    .await
}

fn oauth(register: &Register, more: &str) -> super::bench_project::BenchProject {
    let source = format!(
        "url: \"{}\", paging: {{page: {{}}}}, {SOON}, auth: {{oauth2: {{token_url: \"{}\", client_id: svod, \
         client_secret: {{file: secret}}, scope: read{more}}}}}",
        register.url("/cases"),
        register.url("/token")
    );
    let project = project(&source, NDJSON);
    project.write("secret", "s3 &");
    project
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_refused() {
    let n_asked = |register: &Register| register.asked().iter().filter(|asked| asked.path == "/token").count();
    for more in ["", ", credentials_in: body"] {
        let register = with_tokens(|token, _| token == "Bearer t1").await;
        let report = oauth(&register, more).run().await;
        assert_eq!((report.accepted, report.failures.len()), (6, 0));
        assert_eq!(n_asked(&register), 1);
    }
    // From some page on only the second token is taken.
    let register = with_tokens(|token, page| token == "Bearer t2" || page != "3").await;
    let report = oauth(&register, "").run().await;
    assert_eq!((report.accepted, n_asked(&register)), (6, 2));
    // A token that is refused twice is not asked for for ever.
    let register = with_tokens(|_, _| false).await;
    let told = failure(oauth(&register, "").run().await);
    assert!(told.ends_with("answered 401 Unauthorized; check `auth` and the secrets it names"), "{told}");
    assert_eq!(n_asked(&register), 2);
    let project = oauth(&register, "");
    project.write("secret", "wrong");
    let told = failure(project.run().await);
    let expected = format!(
        "the token server `{}` gives no token: it answered 401 Unauthorized, `invalid_client`",
        register.url("/token")
    );
    assert!(told.ends_with(&expected), "{told}");
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_secret() {
    let other = Register::start(|asked| {
        assert_eq!((asked.header("authorization"), asked.header("x-key")), ("", ""));
        assert_eq!((asked.parameter("key"), asked.header("x-open")), ("", "yes"));
        ok(rows(0..2))
    })
    .await;
    let away = other.url("/storage");
    let register = Register::start(move |asked| match asked.path.as_str() {
        "/cases" => answer(307, &[("Location", "/moved?page=1")], ""),
        "/moved" => {
            assert_eq!((asked.header("authorization"), asked.header("x-key")), ("Bearer s3cret", "s3cret"));
            assert_eq!(asked.parameter("key"), "s3cret");
            answer(302, &[("Location", &away)], "")
        }
        _ => answer(302, &[("Location", "/round")], ""),
    })
    .await;
    let secrets =
        "query: {key: {file: one}}, headers: {X-Open: \"yes\", X-Key: {file: one}}, auth: {bearer: {file: one}}";
    let run = |path: &'static str| {
        let project = project(&format!("url: \"{}\", {secrets}, {SOON}", register.url(path)), NDJSON);
        project.write("one", "s3cret");
        async move { project.run().await }
    };
    let report = run("/cases").await;
    assert_eq!((report.accepted, report.failures.len()), (2, 0), "{:?}", report.failures);
    let told = failure(run("/round").await);
    assert!(told.ends_with("/round` sends elsewhere: more than ten times in a row"), "{told}");
}

#[tokio::test]
async fn the_next_page_of_another_host_is_not_asked_for() {
    let register = Register::start(|_| {
        answer(200, &[("Link", "<https://elsewhere.example/cases?token=s3cret>; rel=next")], rows(0..2))
    })
    .await;
    let told = failure(project(&format!("url: \"{}\", paging: {{link: {{}}}}", register.url("/")), NDJSON).run().await);
    assert!(told.ends_with("leads to another host, `https://elsewhere.example`; it is not followed"), "{told}");
}

/// An authority, and a server on this machine with a certificate of it. Its answers are those of `answer`.
async fn tls_register(answer: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static) -> (String, u16) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "Authority of a test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let port = serve_tls(Arc::new(config), super::http_register::router(answer).0).await;
    (authority.pem(), port)
}

#[tokio::test]
async fn an_own_authority_is_trusted_where_it_is_declared() {
    let (authority, port) = tls_register(|asked| match asked.path.as_str() {
        "/cases" => ok(rows(0..2)),
        _ => answer(302, &[("Location", "http://localhost/cases")], ""),
    })
    .await;
    let run = |host: &str, path: &str, ca_file: &str| {
        let project = project(&format!("url: \"https://{host}:{port}{path}\"{ca_file}, {SOON}"), NDJSON);
        project.write("certificates/region.pem", &authority);
        project.write("certificates/nothing.pem", "nothing");
        async move { project.run().await }
    };
    let trusted = ", ca_file: certificates/region.pem";
    assert_eq!(run("localhost", "/cases", trusted).await.accepted, 2);
    let told = failure(run("localhost", "/cases", "").await);
    assert!(told.contains("cannot be reached") && told.contains("UnknownIssuer"), "{told}");
    let told = failure(run("127.0.0.1", "/cases", trusted).await);
    assert!(told.contains("not valid for name"), "{told}");
    let told = failure(run("localhost", "/insecure", trusted).await);
    assert!(told.contains("sends elsewhere: from https to http, where everybody can listen"), "{told}");
    let told = failure(run("localhost", "/cases", ", ca_file: certificates/nothing.pem").await);
    assert!(told.contains("`certificates/nothing.pem` has no certificate in it"), "{told}");
    let told = failure(run("localhost", "/cases", ", ca_file: certificates/absent.pem").await);
    assert!(told.contains("the certificates in `certificates/absent.pem` cannot be read"), "{told}");
}

/// TLS in front of a router, with what is in the tree already.
mod tls_server {
    use std::sync::Arc;

    use axum::Router;
    use axum::serve::Listener;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::server::TlsStream;

    struct TlsListener(TcpListener, TlsAcceptor);

    impl Listener for TlsListener {
        type Io = TlsStream<TcpStream>;
        type Addr = std::net::SocketAddr;

        async fn accept(&mut self) -> (Self::Io, Self::Addr) {
            loop {
                let (stream, address) = self.0.accept().await.unwrap();
                // A client that does not trust the certificate hangs up.
                if let Ok(stream) = self.1.accept(stream).await {
                    return (stream, address);
                }
            }
        }

        fn local_addr(&self) -> std::io::Result<Self::Addr> {
            self.0.local_addr()
        }
    }

    pub(super) async fn serve_tls(config: Arc<rustls::ServerConfig>, router: Router) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = TlsListener(listener, TlsAcceptor::from(config));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        port
    }
}
