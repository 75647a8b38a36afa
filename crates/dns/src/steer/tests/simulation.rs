//! Clients that honour times to live, and PoPs that count their requests.

use super::*;

const STEP: f64 = 0.25;

/// What a PoP gets in each step, as requests per second.
struct World {
    fleet: Arc<Fleet>,
    planner: Planner,
    now: f64,
    /// Each client: where it goes, and until when it remembers.
    memory: Vec<(String, f64)>,
    answers: BTreeMap<String, f64>,
    load: BTreeMap<String, f64>,
}

impl World {
    /// Clients that make a request per second each and have asked at different times.
    fn new(fleet: Arc<Fleet>, clients: u32) -> Self {
        let memory = (0..clients).map(|nth| (String::new(), f64::from(nth % 300) / 10.0)).collect();
        let empty = BTreeMap::new();
        let planner = Planner::default();
        Self { fleet, planner, now: 0.0, memory, answers: empty.clone(), load: empty }
    }

    /// Goes on by a step and says what each PoP gets then.
    fn step(&mut self, states: &[(&str, PopState)]) -> BTreeMap<String, f64> {
        let (answers, load) = (std::mem::take(&mut self.answers), &self.load);
        let now = Duration::from_secs_f64(self.now);
        let view = self.planner.plan(&self.fleet, now, |_, _, target| {
            let seen = seen(states, target);
            let load = load.get(&target.name).copied().unwrap_or(0.0);
            let alive = seen.state != PopState::Unhealthy;
            let answers = answers.get(&target.name).copied().unwrap_or(0.0);
            Seen { load: alive.then_some(load), answers, ..seen }
        });
        let ttl = view.side(0, Family::V4).unwrap().1.ttl;
        let mut load: BTreeMap<String, f64> = BTreeMap::new();
        for (client, (pop, until)) in clients(u32::MAX).zip(&mut self.memory) {
            if *until <= self.now {
                *pop = names(&view, &client, None).remove(0);
                *until = self.now + f64::from(ttl);
                *self.answers.entry(pop.clone()).or_default() += 1.0;
            }
            *load.entry(pop.clone()).or_default() += 1.0;
        }
        self.now += STEP;
        self.load = load.clone();
        load
    }
}

/// Four PoPs alike for all 5,000 clients, with room for so many requests each. What the three others get in each step
/// after one died, and before.
fn one_of_four_dies(capacities: [u32; 4]) -> (BTreeMap<String, f64>, Vec<BTreeMap<String, f64>>) {
    let names = ["a", "b", "c", "d"];
    let pops: Vec<_> = names
        .iter()
        .zip(capacities)
        .map(|(name, capacity)| {
            let mut pop = pop(name, name.as_bytes()[0], None);
            pop["capacity"] = json!(capacity);
            pop
        })
        .collect();
    let fleet = fleet(json!({"pops": pops, "steering": {"answers": 1, "ttl": 30}}));
    let mut world = World::new(fleet, 5_000);
    for _ in 0..240 {
        world.step(&[]);
    }
    let before = world.load.clone();
    let after = (0..480).map(|_| world.step(&[("a", PopState::Unhealthy)])).collect();
    (before, after)
}

/// Each of the others takes a third, over the time in which clients ask again, and none more than it may.
#[test]
fn what_a_dead_pop_had_comes_to_the_others_over_time() {
    let (before, after) = one_of_four_dies([1_800; 4]);
    let end = &after[after.len() - 1];
    assert!(!end.contains_key("a"), "{end:?}");
    for name in ["b", "c", "d"] {
        let gained = end[name] - before[name];
        assert!((300.0..=550.0).contains(&gained), "{name} gained {gained} of {before:?}");
        let grown = |part: f64| {
            let wanted = before[name] + gained * part;
            after.iter().position(|load| load[name] >= wanted).unwrap() as f64 * STEP
        };
        // Clients ask again within 30 seconds.
        let (begin, most) = (grown(0.1), grown(0.9));
        assert!(begin < 10.0 && most - begin > 10.0 && most < 40.0, "{name}: {begin} to {most} s");
        let steps = after.windows(2).map(|pair| pair[1][name] - pair[0][name]);
        let greatest = steps.fold(0.0, f64::max);
        assert!(greatest < gained / 10.0, "{name}: {greatest} of {gained} in a step");
        assert!(after.iter().all(|load| load[name] <= 1_800.0), "{name}");
    }
}

/// One of the others has no room for a third of what comes over: the rest takes it.
#[test]
fn what_a_dead_pop_had_goes_to_those_with_room() {
    let (before, after) = one_of_four_dies([1_800, 1_500, 2_400, 2_400]);
    assert!(before["b"] > 1_100.0, "{before:?}");
    for load in &after {
        assert!(load["b"] <= 1_500.0 && load["c"] <= 2_400.0 && load["d"] <= 2_400.0, "{load:?}");
    }
    let end = &after[after.len() - 1];
    assert!(end["b"] > before["b"] && end["c"] > 1_650.0 && end["d"] > 1_650.0, "{end:?}");
}

/// All clients are near one PoP, which is too small for them: the next take the rest, the nearest first.
#[test]
fn nobody_gets_more_than_its_capacity_while_another_has_room() {
    let mut pops = [
        pop("a", 1, Some((0.0, 0.0))),
        pop("b", 2, Some((0.0, 10.0))),
        pop("c", 3, Some((0.0, 20.0))),
    ];
    for (pop, capacity) in pops.iter_mut().zip([3_000, 1_500, 4_000]) {
        pop["capacity"] = json!(capacity);
    }
    let fleet = fleet(json!({"pops": pops, "steering": {"answers": 1, "ttl": 20, "pendingTtl": 5},
        "networks": [{"network": "0.0.0.0/0", "location": {"latitude": 0.0, "longitude": 0.0}}]}));
    let mut world = World::new(fleet, 5_000);
    for _ in 0..400 {
        world.step(&[]);
    }
    for _ in 0..400 {
        let load = world.step(&[]);
        assert!(load["a"] <= 3_000.0 && load["b"] <= 1_500.0 && load["c"] <= 4_000.0, "{load:?}");
        assert!(load["a"] > 2_600.0 && load["b"] > 1_200.0, "what is near is used: {load:?}");
    }
    for _ in 0..400 {
        world.step(&[("a", PopState::Unhealthy)]);
    }
    let load = &world.load;
    assert!(load["b"] <= 1_500.0 && load["c"] <= 4_000.0 && load["b"] > 1_200.0, "{load:?}");
}

/// Together they can take less than comes: all get more than they may, none is spared at the others' cost.
#[test]
fn where_all_have_too_much_they_share_it() {
    let mut pops = [pop("a", 1, Some((0.0, 0.0))), pop("b", 2, Some((0.0, 10.0)))];
    pops[0]["capacity"] = json!(1_000);
    pops[1]["capacity"] = json!(1_000);
    let fleet = fleet(json!({"pops": pops, "steering": {"answers": 1, "ttl": 10},
        "networks": [{"network": "0.0.0.0/0", "location": {"latitude": 0.0, "longitude": 0.0}}]}));
    let mut world = World::new(fleet, 4_000);
    for _ in 0..800 {
        world.step(&[]);
    }
    let load = &world.load;
    assert!((1_500.0..2_500.0).contains(&load["a"]), "{load:?}");
}
