//! Where DNS sends a client, in words.

use crate::answers::directions::{Address, Directions};

use super::{clean, dash, table, time};

/// All PoPs, those that the client gets first.
pub(crate) fn directions(found: &Directions) -> String {
    let Directions { ip, name, pool, version, source, scope, ttl, .. } = found;
    let country = found.country.as_ref().map(|country| format!(", in {country}"));
    let known = format!("{source}{}", country.unwrap_or_default());
    let mut out = String::new();
    for (fact, text) in [
        ("client", format!("{ip}, place known by: {known}; {scope} bits of the address matter")),
        ("name", format!("{name}, of pool {pool}, zones {version}")),
        ("answer", format!("kept for {}", time((*ttl).into()))),
    ] {
        out.push_str(&format!("{fact:<8}{}\n", clean(&text)));
    }
    if found.all_bad {
        out.push_str("none is well, so all are answered with\n");
    }
    let head = ["POP", "VERDICT", "KM", "STATE", "WEIGHT", "SHARE", "ADDRESSES"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(found.candidates.iter().map(|candidate| {
        [
            candidate.pop.clone(),
            candidate.verdict.clone(),
            candidate.kilometres.map_or_else(dash, |km| km.to_string()),
            candidate.state.clone(),
            candidate.weight.to_string(),
            format!("{:.0} %", candidate.share * 100.0),
            candidate.addresses.iter().map(address).collect::<Vec<_>>().join(", "),
        ]
    }));
    out.push('\n');
    out + &table(&rows)
}

/// Why and since when, only where something is the matter.
fn address(address: &Address) -> String {
    let Address { address, state, reason, since_seconds } = address;
    match state.as_str() {
        "healthy" => address.clone(),
        _ => format!("{address} ({state}: {reason}, for {})", time(*since_seconds)),
    }
}

#[cfg(test)]
mod tests;
