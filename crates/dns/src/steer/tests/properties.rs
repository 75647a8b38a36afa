//! What holds of every pool, every view and every client.

use proptest::prelude::*;

use super::*;
use crate::place::Spot;
use wire::zones::Location;

#[derive(Clone, Debug)]
struct Drawn {
    place: Option<(i32, i32)>,
    weight: u32,
    state: PopState,
    load: Option<f64>,
}

fn state() -> impl Strategy<Value = PopState> {
    prop_oneof![
        3 => Just(PopState::Healthy),
        2 => Just(PopState::Unhealthy),
        1 => Just(PopState::Unknown),
        1 => Just(PopState::Maintenance),
        1 => (0.0..=1.0f64).prop_map(PopState::Degraded),
    ]
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let place = prop::option::of((-2..=2i32, -3..=3i32));
    let weight = prop_oneof![1 => Just(0u32), 4 => 1..=200u32];
    let load = prop::option::of(0.0..5_000.0f64);
    (place, weight, state(), load).prop_map(|(place, weight, state, load)| Drawn {
        place,
        weight,
        state,
        load,
    })
}

fn made(pops: &[Drawn], answers: u32) -> Arc<Fleet> {
    let one = |(nth, drawn): (usize, &Drawn)| {
        let place = drawn.place.map(|(north, east)| (f64::from(north * 40), f64::from(east * 55)));
        let mut pop = pop(&format!("p{nth:02}"), nth as u8 + 1, place);
        pop["weight"] = json!(drawn.weight);
        pop["capacity"] = json!(1_000);
        pop
    };
    let pops: Vec<_> = pops.iter().enumerate().map(one).collect();
    fleet(json!({"pops": pops, "steering": {"answers": answers, "ramp": 10},
        "networks": [{"network": "80.0.0.0/8", "location": {"latitude": 10.0, "longitude": 20.0}}]}))
}

proptest! {
    #[test]
    fn an_answer_is_never_empty_and_names_the_dead_only_if_all_are(
        pops in prop::collection::vec(drawn(), 1..12), answers in 1..=3u32, times in 1..4u64,
        networks in prop::collection::vec(any::<u32>(), 1..20),
    ) {
        let fleet = made(&pops, answers);
        let mut planner = Planner::default();
        let mut view = View::calm(Arc::clone(&fleet));
        for second in 0..times {
            view = planner.plan(&fleet, Duration::from_secs(second), |_, _, target| {
                let drawn = &pops[target.name[1..].parse::<usize>().unwrap()];
                Seen { load: drawn.load, answers: 10.0, ..Seen::new(drawn.state) }
            });
        }
        let (pool, side) = view.side(0, Family::V4).unwrap();
        let gets_any = |drawn: &Drawn| drawn.weight > 0 && drawn.state.share() > 0.0;
        prop_assert_eq!(side.all_bad, !pops.iter().any(gets_any));
        for network in networks {
            let client = Client::peer(IpAddr::V4(Ipv4Addr::from(network)));
            let choice = choose(pool, Family::V4, side, &client, None);
            let mut picked = choice.picked().to_vec();
            prop_assert!(!picked.is_empty() && picked.len() <= answers as usize);
            prop_assert_eq!(choice, choose(pool, Family::V4, side, &client, None));
            // The scope is true: whoever shares the bits gets the same.
            if choice.bits < 32 {
                let flipped = network ^ 1 << (31 - choice.bits);
                let other = Client::peer(IpAddr::V4(Ipv4Addr::from(flipped)));
                let again = choose(pool, Family::V4, side, &other, None);
                prop_assert_eq!(again.picked(), choice.picked());
            }
            for nth in &picked {
                prop_assert!(side.all_bad || gets_any(&pops[usize::from(*nth)]));
            }
            picked.sort_unstable();
            picked.dedup();
            prop_assert_eq!(picked.len(), choice.picked().len(), "each once");
        }
    }

    #[test]
    fn the_first_is_the_nearest_of_those_that_take_all(
        pops in prop::collection::vec(drawn(), 2..12), host: u16,
    ) {
        let fleet = made(&pops, 1);
        let view = Planner::default().plan(&fleet, Duration::ZERO, |_, _, target| {
            Seen::new(pops[target.name[1..].parse::<usize>().unwrap()].state)
        });
        let (pool, side) = view.side(0, Family::V4).unwrap();
        let client = client(&format!("80.1.{}.{}", host >> 8, host & 0xFF));
        let choice = choose(pool, Family::V4, side, &client, None);
        let here = Spot::new(Location { latitude: 10.0, longitude: 20.0 }).unwrap();
        let targets = &pool.side(Family::V4).targets;
        let far = |nth: usize| targets[nth].spot.map_or(f64::MAX, |spot| here.kilometres(&spot));
        let whole = (0..targets.len()).filter(|nth| side.standings[*nth].takes_all());
        if let Some(nearest) = whole.map(far).min_by(f64::total_cmp) {
            prop_assert!(far(usize::from(choice.picked()[0])) <= nearest + 0.001);
        }
    }
}
