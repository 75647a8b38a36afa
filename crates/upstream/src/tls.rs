//! TLS towards origins: public roots, and what a site adds to them.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::endpoint::EndpointError;

/// A client configuration that trusts the public roots and the certificates in `ca`.
pub(crate) fn config(ca: Option<&str>) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = ca {
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|e| EndpointError::Ca(e.to_string()))?;
            roots.add(certificate).map_err(|e| EndpointError::Ca(e.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(EndpointError::Ca("no certificate in the bundle".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| EndpointError::Ca(e.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
