//! Where clients reach a point of presence. Pure.

use std::net::{IpAddr, Ipv4Addr};

use k8s_openapi::api::core::v1::Service;
use translate::Reached;

/// Addresses of each family at most, as a GeoDNS takes them.
const MOST: usize = wire::zones::MAX_ADDRESSES;

/// What is written down, else what the Service has from outside: of its load balancer, else those that were
/// routed to it by hand. An address of the cluster is none.
pub fn reached(written: &[String], service: Option<&SeenService>) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = written.iter().filter_map(|text| text.parse().ok()).collect();
    if addresses.is_empty()
        && let Some(service) = service
    {
        addresses.clone_from(&service.0);
    }
    for address in &mut addresses {
        *address = address.to_canonical();
    }
    // What no client can use, no GeoDNS takes.
    let nobody = |a: &IpAddr| a.is_unspecified() || a.is_multicast() || *a == Ipv4Addr::BROADCAST;
    addresses.retain(|address| !nobody(address));
    let mut of_family = [0, 0];
    addresses.retain(|address| {
        let count = &mut of_family[usize::from(address.is_ipv6())];
        *count += 1;
        *count <= MOST
    });
    addresses
}

/// As `translate` takes them.
pub fn probed(addresses: &[IpAddr]) -> Vec<Reached> {
    addresses.iter().map(|&address| Reached { address, probe: None }).collect()
}

/// The addresses that a Service has from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenService(pub Vec<IpAddr>);

impl SeenService {
    /// Those of `service`.
    pub fn of(service: &Service) -> Self {
        let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let ingress = balancer.and_then(|balancer| balancer.ingress.as_ref());
        let given: Vec<IpAddr> = ingress
            .into_iter()
            .flatten()
            .filter_map(|ingress| ingress.ip.as_deref()?.parse().ok())
            .collect();
        if !given.is_empty() {
            return Self(given);
        }
        let external = service.spec.as_ref().and_then(|spec| spec.external_ips.as_ref());
        Self(external.into_iter().flatten().filter_map(|ip| ip.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests;
