use super::*;

fn seat(ring: &str, name: &str, port: u16, pop: Option<&str>) -> Seat {
    Seat {
        ring: ring.into(),
        name: name.into(),
        address: ([127, 0, 0, 1], port).into(),
        public: pop.map(|_| ([127, 0, 0, 1], port + 100).into()),
        pop: pop.map(Into::into),
    }
}

fn seats() -> Vec<Seat> {
    vec![
        seat("shield/main", "shield-1", 8461, None),
        seat("pop/www/fra", "fra-0", 9001, Some("fra")),
        seat("shield/main", "shield-0", 8460, None),
        seat("pop/www/iad", "iad-0", 9002, Some("iad")),
    ]
}

#[test]
fn everybody_is_on_the_ring_of_the_place_and_reached_there() {
    let fleet = fleet(seats());
    assert_eq!(fleet.check(), Ok(()));
    let rings: Vec<_> = fleet.rings.keys().map(String::as_str).collect();
    assert_eq!(rings, ["pop/www/fra", "pop/www/iad", "shield/main"]);
    let shields: Vec<_> = fleet.rings["shield/main"]
        .members
        .iter()
        .map(|m| (m.name.as_str(), m.url.as_str(), m.weight, m.pop.as_deref()))
        .collect();
    assert_eq!(
        shields,
        [
            ("shield-0", "http://127.0.0.1:8460", 100, None),
            ("shield-1", "http://127.0.0.1:8461", 100, None),
        ]
    );
    let edge = &fleet.rings["pop/www/fra"].members[0];
    assert_eq!(
        (edge.pop.as_deref(), edge.public.as_deref()),
        (Some("fra"), Some("127.0.0.1:9101"))
    );
}

#[test]
fn a_version_names_the_content() {
    let first = fleet(seats());
    let mut other_way_round = seats();
    other_way_round.reverse();
    assert_eq!(fleet(other_way_round), first);
    for change in [
        |seats: &mut Vec<Seat>| drop(seats.pop()),
        |seats: &mut Vec<Seat>| seats[0].address.set_port(1),
        |seats: &mut Vec<Seat>| seats[0].name.push('x'),
        |seats: &mut Vec<Seat>| seats[0].ring.push('x'),
        |seats: &mut Vec<Seat>| seats[1].pop = None,
    ] {
        let mut changed = seats();
        change(&mut changed);
        assert_ne!(fleet(changed).version, first.version);
    }
    assert_eq!(fleet([]).check(), Ok(()));
}
