//! Whom to trust on the network: TLS settings for HTTP endpoints and databases.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// What is checked of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// A trusted authority signed it, and it belongs to the host.
    Full,
    /// A trusted authority signed it.
    Authority,
    /// Nothing: the connection is only kept from being overheard by those who do not stand in its way.
    Nothing,
}

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of authorities is not there or is no PEM.
    #[error("the certificates in `{file}` cannot be read")]
    Unreadable {
        /// The file, as declared.
        file: String,
        /// What went wrong.
        #[source]
        cause: pem::Error,
    },
    /// The file has no certificate in it.
    #[error("`{file}` has no certificate in it; expected lines like `-----BEGIN CERTIFICATE-----`")]
    NoCertificate {
        /// The file, as declared.
        file: String,
    },
    /// A certificate is not one.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The authorities cannot be used.
    #[error("TLS cannot be set up")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
}

/// TLS settings that trust the authorities of the system, or those of Mozilla where the system has none, and those of a file.
///
/// # Errors
/// [`TrustError`].
pub fn client_config(
    project: &Path,
    ca_file: Option<&str>,
    verification: Verification,
) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::new(authorities(project, ca_file)?);
    let whole = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    Ok(match verification {
        Verification::Full => builder.with_webpki_verifier(whole).with_no_client_auth(),
        lax => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(LaxVerifier { whole, lax, provider }))
            .with_no_client_auth(),
    })
}

fn authorities(project: &Path, ca_file: Option<&str>) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let Some(file) = ca_file else { return Ok(roots) };
    let unreadable = |cause| TrustError::Unreadable { file: file.to_owned(), cause };
    let mut n_added = 0;
    for certificate in CertificateDer::pem_file_iter(project.join(file)).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?)?;
        n_added += 1;
    }
    if n_added == 0 { Err(TrustError::NoCertificate { file: file.to_owned() }) } else { Ok(roots) }
}

/// Lets certificates pass that the whole check would refuse.
#[derive(Debug)]
struct LaxVerifier {
    whole: Arc<WebPkiServerVerifier>,
    lax: Verification,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for LaxVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match self.whole.verify_server_cert(certificate, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            Err(_) if self.lax == Verification::Nothing => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.whole.supported_verify_schemes()
    }
}
