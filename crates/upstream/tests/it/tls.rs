//! Servers behind TLS.

use std::convert::Infallible;

use http::{Response, Version};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use upstream::Probe;
use upstream::health::HealthReason;
use wire::snapshot::HealthProbe;

use super::*;

/// A server for `origin.example` that speaks HTTP/2; gives its URL and the certificate to trust.
async fn start() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["origin.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let said = request.uri().to_string();
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
                });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (url, pem)
}

fn origin(url: &str, ca: Option<String>) -> Origin {
    let health = HealthProbe { path: "/health".into(), ..HealthProbe::default() };
    let host = Some("origin.example".to_owned());
    Origin { host, ca, health: Some(health), ..Origin::at(url) }
}

#[tokio::test]
async fn requests_and_probes_go_over_http2_to_the_name_of_the_certificate() {
    let (url, pem) = start().await;
    let site = Setup::default().site(&[origin(&url, Some(pem))]);
    let answer = site.get().await.unwrap();
    assert_eq!(answer.response.version(), Version::HTTP_2);
    let body = answer.response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "https://origin.example/");
    assert_eq!(site.order[0].in_flight(), 0);

    let mut watching = tokio::task::JoinSet::new();
    watching.spawn(site.targets.clone().watch());
    until("probed", || site.order[0].report().counts.probes == 1).await;
    tokio::time::sleep(ms(300)).await;
    assert_eq!(site.order[0].report().counts.probes_failed, 0);
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_no_connection() {
    let (url, _) = start().await;
    let origin = origin(&url, None);
    assert!(matches!(Setup::default().settings(&origin).probe, Some(Probe::Get(_))));
    let site = Setup::default().site(&[origin]);
    assert_eq!(site.told().await, (502, "connect-failed".into()));
    let report = site.order[0].report();
    assert_eq!((report.up, report.health), (false, HealthReason::Connect));
}
