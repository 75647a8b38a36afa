//! Where a URL is, in words.

use crate::answers::whereabouts::{Entry, Hop, Ring, Seen, Upstream, Variant};
use crate::whereabouts::{Told, Whereabouts};

use super::{clean, dash, plural, table, time};

/// Members of a ring that are shown: those that would be asked first.
const MEMBERS: usize = 12;

/// One node in full, several as a line each; one that was asked for by name always in full.
pub(crate) fn whereabouts(found: &Whereabouts, named: bool) -> String {
    match &found.nodes[..] {
        [told] if named || found.refused.is_empty() => in_full(told),
        nodes => {
            let mut out = lines(nodes);
            if !found.refused.is_empty() {
                out.push('\n');
            }
            for (name, reason) in &found.refused {
                out.push_str(&clean(&format!("{name}: {reason}")));
                out.push('\n');
            }
            out.push_str("\nWho owns it and how everybody is, as one node sees it: --node NAME\n");
            out
        }
    }
}

fn lines(nodes: &[Told]) -> String {
    let mut rows = vec![["NODE", "POOL", "STORED", "WAY"].map(str::to_owned)];
    for Told { name, seen, entry, .. } in nodes {
        let steps = seen.way.iter().map(|hop| {
            let down = hop.upstream.as_ref().is_some_and(|upstream| !upstream.up);
            let down = if down { ", down" } else { "" };
            format!("{} {} ({}{down})", hop.tier, hop.to, hop.why)
        });
        let steps = steps.collect::<Vec<_>>().join(" > ");
        rows.push([name.clone(), seen.pool.clone(), stored(entry.as_ref()), steps]);
    }
    table(&rows)
}

fn in_full(told: &Told) -> String {
    let Told { name, seen, entry, .. } = told;
    let fleet = seen.fleet.as_ref().map_or("no fleet".to_owned(), |fleet| format!("fleet {fleet}"));
    let mut facts = vec![
        ("node", format!("{name}, {} of {}, {fleet}", seen.tier, seen.pool)),
        ("site", seen.key.site.clone()),
        ("key", seen.key.key.clone()),
    ];
    if !seen.key.also_keyed_by.is_empty() {
        let more = seen.key.also_keyed_by.join(", ");
        facts.push(("", format!("of a request without: {more}, which are part of it")));
    }
    facts.push(("stored", stored(entry.as_ref())));
    if let Some(entry) = entry.as_ref().filter(|entry| entry.fills > 0) {
        let fills = plural(entry.fills as usize, "fill");
        facts.push(("", format!("{fills} under way, {} waiting", entry.waiting)));
    }
    let mut out = String::new();
    for (name, fact) in facts {
        out.push_str(format!("{name:<8}{}", clean(&fact)).trim_end());
        out.push('\n');
    }
    let mut add = |title: String, rows: String| {
        out.push_str(&format!("\n{}\n{rows}", clean(&title)));
    };
    if let Some(entry) = entry.as_ref().filter(|entry| entry.variants.len() > 1) {
        add("variants".to_owned(), variants(&entry.variants));
    }
    add("the way of a request that is not answered from the store".to_owned(), way(&seen.way));
    if seen.origins.len() > 1 {
        add("origins".to_owned(), origins(seen));
    }
    for ring in seen.rings.iter().filter(|ring| matters(ring, seen)) {
        let asked = match (&ring.pick, &ring.reason) {
            (Some(pick), Some(reason)) => format!("asked is {pick} ({reason})"),
            _ => "nobody to ask".to_owned(),
        };
        let members = plural(ring.members.len(), "member");
        let title = format!("ring {}: {asked}; {members}, digest {}", ring.name, ring.digest);
        add(title, self::members(ring));
    }
    out
}

/// Whether the ring has a say in where the URL goes from the node.
fn matters(ring: &Ring, seen: &Seen) -> bool {
    let name = Some(&ring.name);
    let own = seen.own_ring.as_ref() == name && seen.peering == "peer" && seen.tier == "edge";
    own || seen.key.shield.as_ref() == name || seen.way.iter().any(|hop| hop.ring.as_ref() == name)
}

fn stored(entry: Option<&Entry>) -> String {
    let Some(entry) = entry else { return "no".to_owned() };
    match (&entry.variants[..], entry.hit_for_miss_seconds) {
        ([], Some(seconds)) => {
            format!("no, not cacheable; asked again in {}", time(seconds.max(0) as u64))
        }
        ([], None) if entry.fills > 0 => "no, being fetched".to_owned(),
        ([], None) => "no".to_owned(),
        ([one], _) => {
            let bytes = bytes(one);
            format!("{}, {bytes}, {}, {} old", one.status, fresh(one), time(one.age_seconds))
        }
        (many, _) => plural(many.len(), "variant"),
    }
}

fn fresh(variant: &Variant) -> String {
    match variant.ttl_seconds {
        left @ 1.. => format!("fresh for {}", time(left.unsigned_abs())),
        over => format!("stale since {}", time(over.unsigned_abs())),
    }
}

fn bytes(variant: &Variant) -> String {
    match variant.body_bytes {
        _ if variant.filling => "being fetched".to_owned(),
        Some(bytes) => plural(bytes as usize, "byte"),
        None => "no body".to_owned(),
    }
}

fn variants(variants: &[Variant]) -> String {
    let head = ["STATUS", "BODY", "FRESHNESS", "AGE", "HITS", "VARIES BY"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(variants.iter().map(|variant| {
        [
            variant.status.to_string(),
            bytes(variant),
            fresh(variant),
            time(variant.age_seconds),
            variant.hits.to_string(),
            variant.vary.join(", "),
        ]
    }));
    table(&rows)
}

fn way(way: &[Hop]) -> String {
    let head = ["FROM", "TIER", "TO", "WHY", "HEALTH", "BREAKER", "IN FLIGHT", "WAITING", "ELSE"];
    let mut rows = vec![head.map(str::to_owned)];
    for hop in way {
        let [health, breaker, in_flight, waiting] = match &hop.upstream {
            Some(upstream) => state(upstream),
            None => [(); 4].map(|()| dash()),
        };
        let (to, here) = (hop.to.clone(), if hop.here { " (itself)" } else { "" });
        let address = hop.upstream.as_ref().filter(|upstream| upstream.name != hop.to);
        let address = address.map(|upstream| format!(" at {}", upstream.name)).unwrap_or_default();
        rows.push([
            hop.from.clone(),
            hop.tier.clone(),
            format!("{to}{address}{here}"),
            hop.why.clone(),
            health,
            breaker,
            in_flight,
            waiting,
            hop.next.join(", "),
        ]);
    }
    table(&rows)
}

fn origins(seen: &Seen) -> String {
    let head =
        ["ORIGIN", "TURN", "PRIORITY", "WEIGHT", "HEALTH", "BREAKER", "IN FLIGHT", "WAITING"];
    let mut rows = vec![head.map(str::to_owned)];
    for origin in &seen.origins {
        let [health, breaker, in_flight, waiting] = state(&origin.upstream);
        rows.push([
            origin.upstream.name.clone(),
            origin.role.clone(),
            origin.priority.to_string(),
            origin.weight.to_string(),
            health,
            breaker,
            in_flight,
            waiting,
        ]);
    }
    table(&rows)
}

/// Health, breaker, requests in flight, and waiting.
fn state(upstream: &Upstream) -> [String; 4] {
    let word = if upstream.up { "up" } else { "down" };
    // A float becomes the nearest whole number that there is.
    let since = time(upstream.since_seconds as u64);
    let tripped = upstream.tripped_by.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let again = match upstream.breaker.as_str() {
        "open" => format!(", again in {}", time(upstream.opens_again_in_seconds.ceil() as u64)),
        _ => String::new(),
    };
    [
        format!("{word} ({}) for {since}", upstream.health),
        format!("{}{tripped}{again}", upstream.breaker),
        format!("{} of {}", upstream.in_flight, upstream.limit),
        upstream.waiting.to_string(),
    ]
}

/// Those that would be asked first, then those that own nothing.
fn members(ring: &Ring) -> String {
    let place = |name: &String| ring.successors.iter().position(|next| next == name);
    let mut members: Vec<_> =
        ring.members.iter().map(|member| (place(&member.name), member)).collect();
    members.sort_by_key(|(place, _)| place.unwrap_or(usize::MAX));
    let head = ["TURN", "MEMBER", "SHARE", "WEIGHT", "STANDING", "TAKEN OVER", "IN FLIGHT", "URL"];
    let mut rows = vec![head.map(str::to_owned)];
    for (place, member) in members.iter().take(MEMBERS) {
        let standing = match member.health.as_str() {
            _ if member.here => format!("{} (itself)", member.standing),
            health => format!("{} ({health})", member.standing),
        };
        rows.push([
            match place {
                Some(0) => "owner".to_owned(),
                Some(place) => place.to_string(),
                None => dash(),
            },
            member.name.clone(),
            percent(member.share),
            member.weight.to_string(),
            standing,
            member.ramp.map_or_else(dash, percent),
            member.in_flight.to_string(),
            member.url.clone(),
        ]);
    }
    let more = members.len().saturating_sub(MEMBERS);
    let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
    table(&rows) + &more
}

fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}
