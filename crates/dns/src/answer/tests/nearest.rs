//! Against a real database of cities: the first PoP is the nearest, as found by trying all by another formula.
//! `make unit` runs it; by hand: `GEO_DATABASE=$(bash e2e/places/files.sh) cargo test -p dns nearest -- --ignored`

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::json;

use super::*;
use crate::place::PlaceSource;
use crate::steer::choose;

/// Airports around the world.
const POPS: [(&str, f64, f64); 24] = [
    ("ams", 52.31, 4.76),
    ("ath", 37.94, 23.94),
    ("bog", 4.70, -74.15),
    ("bom", 19.09, 72.87),
    ("cpt", -33.97, 18.60),
    ("dfw", 32.90, -97.04),
    ("dub", 53.42, -6.27),
    ("dxb", 25.25, 55.36),
    ("eze", -34.82, -58.54),
    ("fra", 50.03, 8.57),
    ("gru", -23.44, -46.47),
    ("hkg", 22.31, 113.91),
    ("icn", 37.46, 126.44),
    ("jnb", -26.14, 28.25),
    ("lax", 33.94, -118.41),
    ("los", 6.58, 3.32),
    ("mad", 40.49, -3.57),
    ("mia", 25.79, -80.29),
    ("nrt", 35.77, 140.39),
    ("ord", 41.97, -87.91),
    ("sea", 47.45, -122.31),
    ("sin", 1.36, 103.99),
    ("syd", -33.94, 151.18),
    ("waw", 52.17, 20.97),
];

/// The great-circle distance by the haversine formula, in radians.
fn haversine((north, east): (f64, f64), (other_north, other_east): (f64, f64)) -> f64 {
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let cosines = north.to_radians().cos() * other_north.to_radians().cos();
    let all = half(north, other_north) + cosines * half(east, other_east);
    2.0 * all.sqrt().min(1.0).asin()
}

/// What the file says, read as plain data.
fn coordinates(readers: &[maxminddb::Reader<Vec<u8>>], address: IpAddr) -> Option<(f64, f64)> {
    let reader = readers.iter().find(|reader| {
        (reader.metadata().ip_version == 4) == address.is_ipv4() || readers.len() == 1
    })?;
    let record: serde_json::Value = reader.lookup(address).ok()?.decode().ok()??;
    let record = record.get("location").unwrap_or(&record);
    Some((record.get("latitude")?.as_f64()?, record.get("longitude")?.as_f64()?))
}

#[test]
#[ignore = "needs a database"]
fn the_first_is_the_nearest_for_addresses_of_the_real_world() {
    let files = std::env::var("GEO_DATABASE").expect("GEO_DATABASE: files with commas between");
    let mut database = speed::database_of_the_environment().expect("a database");
    database.prepare().expect("whole");
    assert!(database.is_laid_out());
    let reader = |path: &str| maxminddb::Reader::from_source(std::fs::read(path).unwrap()).unwrap();
    let readers: Vec<_> = files.split(',').map(reader).collect();
    let pops: Vec<_> = POPS
        .iter()
        .map(|(name, latitude, longitude)| {
            let location = json!({"latitude": latitude, "longitude": longitude});
            json!({"name": name, "location": location, "v4": ["192.0.2.1"], "v6": ["2001:db8::1"]})
        })
        .collect();
    let zones = json!({"format": 1, "version": "v", "zones": {}, "pools": {"web": {"pops": pops}}});
    let fleet = Fleet::new(&serde_json::from_value(zones).unwrap()).unwrap();
    let view = View::calm(Arc::new(fleet));
    let (mut number, mut compared) = (0x9E37_79B9_7F4A_7C15u64, [0u32; 2]);
    let mut next = || {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        number
    };
    while compared.iter().any(|compared| *compared < 10_000) {
        let wide = u128::from(next()) << 64 | u128::from(next());
        // Of IPv6 only 2000::/3 is given out.
        let addresses: [IpAddr; 2] =
            [Ipv4Addr::from(next() as u32).into(), Ipv6Addr::from(wide >> 3 | 1 << 125).into()];
        for (nth, address) in addresses.into_iter().enumerate() {
            let Some(here) = coordinates(&readers, address) else { continue };
            let (pool, side) = view.side(0, Family::ALL[nth]).unwrap();
            let client = Client::peer(address);
            let choice = choose(pool, Family::ALL[nth], side, &client, Some(&database));
            assert_eq!(choice.source, PlaceSource::Database);
            let far = |(_, north, east): &(&str, f64, f64)| haversine(here, (*north, *east));
            let nearest = POPS.iter().min_by(|a, b| far(a).total_cmp(&far(b))).unwrap();
            let first = &pool.side(Family::ALL[nth]).targets[usize::from(choice.picked()[0])].name;
            assert_eq!(first, nearest.0, "{address} at {here:?}");
            compared[nth] += 1;
        }
    }
    println!("compared {compared:?} addresses");
}
