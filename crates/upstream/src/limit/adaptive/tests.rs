use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::*;
use crate::random::{Sequence, unit};

/// Mean time that a request takes in a server, in seconds.
const SERVICE: f64 = 0.05;

/// How long a server takes for one request, relative to the mean.
#[derive(Clone, Copy)]
enum Shape {
    Exponential,
    /// Nine of ten are quick, one takes eleven times as long.
    Mixed,
}

/// An origin with some servers and one queue, and the requests that wait for the limit before it.
struct Model {
    adaptive: Adaptive,
    random: Sequence,
    shape: Shape,
    servers: usize,
    /// Factor on the time that a request takes.
    slowness: f64,
    /// Requests a second that come; none: as many as the limit lets through.
    arrivals: Option<f64>,
    now: f64,
    next_arrival: f64,
    /// Waits for the limit.
    outside: usize,
    /// Sent, and waiting for a server: when they were sent.
    queue: VecDeque<f64>,
    /// In a server: when done, in nanoseconds, and when sent.
    busy: BinaryHeap<Reverse<(u64, u64)>>,
}

/// What was seen over some time.
#[derive(Debug)]
struct Seen {
    /// Answers a second.
    throughput: f64,
    mean: f64,
    p99: f64,
    /// The mean limit, weighted by answers.
    limit: f64,
    most: u32,
}

impl Model {
    fn new(settings: AdaptiveSettings, servers: usize, seed: u64) -> Self {
        Self {
            adaptive: Adaptive::new(settings),
            random: Sequence(seed),
            shape: Shape::Exponential,
            servers,
            slowness: 1.0,
            arrivals: None,
            now: 0.0,
            next_arrival: 0.0,
            outside: 0,
            queue: VecDeque::new(),
            busy: BinaryHeap::new(),
        }
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - unit(self.random.next())).ln()
    }

    fn service(&mut self) -> f64 {
        let relative = match self.shape {
            Shape::Exponential => self.exponential(),
            Shape::Mixed if unit(self.random.next()) < 0.1 => 5.5 * (0.8 + 0.4 * self.uniform()),
            Shape::Mixed => 0.5 * (0.8 + 0.4 * self.uniform()),
        };
        SERVICE * self.slowness * relative
    }

    fn uniform(&mut self) -> f64 {
        unit(self.random.next())
    }

    fn in_flight(&self) -> u32 {
        (self.queue.len() + self.busy.len()) as u32
    }

    fn send(&mut self) {
        while self.in_flight() < self.adaptive.limit()
            && (self.outside > 0 || self.arrivals.is_none())
        {
            self.outside = self.outside.saturating_sub(1);
            self.queue.push_back(self.now);
        }
        while self.busy.len() < self.servers {
            let Some(sent) = self.queue.pop_front() else { break };
            let done = self.now + self.service();
            self.busy.push(Reverse((nanos(done), nanos(sent))));
        }
    }

    fn run(&mut self, seconds: f64) -> Seen {
        let end = self.now + seconds;
        let (mut latencies, mut limits, mut most) = (Vec::new(), 0.0, 0);
        loop {
            self.send();
            most = most.max(self.in_flight());
            let done = self.busy.peek().map_or(f64::INFINITY, |next| next.0.0 as f64 / 1e9);
            let arrival = if self.arrivals.is_some() { self.next_arrival } else { f64::INFINITY };
            if done.min(arrival) >= end {
                break;
            }
            if arrival < done {
                self.now = arrival;
                self.outside += 1;
                self.next_arrival += self.exponential() / self.arrivals.unwrap();
                continue;
            }
            let in_flight = self.in_flight();
            let Some(Reverse((done, sent))) = self.busy.pop() else { break };
            self.now = done as f64 / 1e9;
            let latency = Duration::from_nanos(done - sent);
            let now = Duration::from_nanos(done);
            self.adaptive.on_sample(latency, in_flight, LimitOutcome::Answered, now);
            latencies.push(latency.as_secs_f64());
            limits += f64::from(self.adaptive.limit());
        }
        self.now = end;
        latencies.sort_by(f64::total_cmp);
        let count = latencies.len() as f64;
        Seen {
            throughput: count / seconds,
            mean: latencies.iter().sum::<f64>() / count,
            p99: latencies[latencies.len() * 99 / 100],
            limit: limits / count,
            most,
        }
    }
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Runs for so long, and holds what was seen against what the origin can do.
fn assert_follows(model: &mut Model, seconds: f64, slower: f64) {
    let capacity = model.servers as f64 / SERVICE / model.slowness;
    let seen = model.run(seconds);
    let part = seen.throughput / capacity;
    assert!((0.85..1.15).contains(&part), "{part} of what it can do: {seen:?}");
    let service = SERVICE * model.slowness;
    assert!(seen.mean < slower * service, "{} times: {seen:?}", seen.mean / service);
    // Without any queue it is 4.6 for the exponential shape, and 6.6 for the mixed one.
    assert!(seen.p99 < 9.0 * service, "{} times: {seen:?}", seen.p99 / service);
}

fn each(check: impl Fn(Model)) {
    for shape in [Shape::Exponential, Shape::Mixed] {
        for seed in 0..5 {
            let mut model = Model::new(AdaptiveSettings::default(), 40, seed);
            model.shape = shape;
            check(model);
        }
    }
}

#[test]
fn it_follows_a_capacity_that_halves_and_comes_back() {
    each(|mut model| {
        model.run(10.0);
        assert_follows(&mut model, 20.0, 1.7);
        let before = model.adaptive.limit();
        model.servers = 20;
        assert_follows(&mut model, 20.0, 1.7);
        let halved = model.adaptive.limit();
        assert!(f64::from(halved) < 0.8 * f64::from(before), "{before} {halved}");
        model.servers = 40;
        assert_follows(&mut model, 20.0, 1.7);
        assert!(f64::from(model.adaptive.limit()) > 1.25 * f64::from(halved));
    });
}

#[test]
fn it_keeps_up_within_seconds() {
    each(|mut model| {
        model.run(10.0);
        for servers in [20, 40] {
            model.servers = servers;
            model.run(3.0);
            assert_follows(&mut model, 5.0, 1.7);
        }
    });
}

#[test]
fn an_origin_that_gets_slower_but_not_fuller_keeps_its_concurrency() {
    each(|mut model| {
        model.run(10.0);
        model.slowness = 2.0;
        model.run(10.0);
        assert_follows(&mut model, 30.0, 1.8);
        assert!(model.adaptive.limit() >= 36);
    });
}

#[test]
fn it_survives_the_loss_of_nine_tenths() {
    each(|mut model| {
        model.run(10.0);
        model.servers = 4;
        model.run(5.0);
        let seen = model.run(20.0);
        assert!(seen.throughput * SERVICE > 0.85 * 4.0, "{seen:?}");
        assert!(seen.mean < 3.0 * SERVICE, "{seen:?}");
        model.servers = 40;
        model.run(5.0);
        assert_follows(&mut model, 20.0, 1.7);
    });
}

#[test]
fn it_grows_to_what_the_origin_can_do() {
    each(|mut model| {
        model.servers = 400;
        model.run(10.0);
        assert_follows(&mut model, 20.0, 1.7);
    });
}

#[test]
fn the_bounds_hold() {
    let settings = AdaptiveSettings { initial: 1000, min: 6, max: 15, ..Default::default() };
    let mut model = Model::new(settings, 40, 1);
    assert_eq!(model.adaptive.limit(), 15);
    assert_eq!(model.run(20.0).most, 15);
    model.servers = 1;
    let seen = model.run(20.0);
    assert!(seen.most <= 15 && seen.limit >= 6.0, "{seen:?}");
}

#[test]
fn light_load_is_not_hampered() {
    each(|mut model| {
        model.arrivals = Some(0.6 * 40.0 / SERVICE);
        model.run(5.0);
        let seen = model.run(60.0);
        let part = seen.throughput * SERVICE / 40.0;
        assert!((0.57..0.63).contains(&part), "{part}");
        assert!(seen.mean < 1.1 * SERVICE, "{seen:?}");
        assert!(model.outside < 20, "{}", model.outside);
    });
}

/// Feeds `count` samples, a millisecond apart, from `from` milliseconds on.
fn feed(adaptive: &mut Adaptive, from: u64, count: u64, outcome: LimitOutcome) {
    for n in from..from + count {
        let (latency, now) = (Duration::from_millis(20), Duration::from_millis(n));
        adaptive.on_sample(latency, adaptive.limit(), outcome, now);
    }
}

#[test]
fn an_origin_that_says_it_has_too_much_gets_less_until_it_is_well() {
    let mut adaptive = Adaptive::new(AdaptiveSettings::default());
    feed(&mut adaptive, 0, 500, LimitOutcome::Answered);
    assert!(adaptive.limit() > 32);
    feed(&mut adaptive, 500, 3000, LimitOutcome::Overloaded);
    assert_eq!(adaptive.limit(), 4);
    feed(&mut adaptive, 3500, 5000, LimitOutcome::Answered);
    assert!(adaptive.limit() > 32, "{adaptive:?}");
}

#[test]
fn what_says_nothing_changes_nothing() {
    let mut adaptive = Adaptive::new(AdaptiveSettings::default());
    feed(&mut adaptive, 0, 10_000, LimitOutcome::Silent);
    assert_eq!((adaptive.limit(), adaptive.baseline()), (32, None));
}

#[test]
fn a_limit_that_nobody_reaches_does_not_grow() {
    let mut adaptive = Adaptive::new(AdaptiveSettings::default());
    for n in 0..60_000 {
        let (latency, now) = (Duration::from_millis(20), Duration::from_millis(n));
        adaptive.on_sample(latency, 15, LimitOutcome::Answered, now);
    }
    assert_eq!(adaptive.limit(), 32);
}

#[test]
fn a_measurement_ends_though_requests_hang() {
    let mut adaptive = Adaptive::new(AdaptiveSettings::default());
    let mut n = 0;
    while adaptive.measuring.is_none() {
        feed(&mut adaptive, n, 1, LimitOutcome::Answered);
        n += 1;
    }
    let full = adaptive.limit;
    assert!(f64::from(adaptive.limit()) < full);
    // All that end from now on were sent long before; after a while they are not waited for.
    for later in [100, 2000, 4000] {
        let now = Duration::from_millis(n + later);
        adaptive.on_sample(now, 32, LimitOutcome::Answered, now);
    }
    assert_eq!(adaptive.limit(), full as u32);
}

#[test]
fn nothing_that_is_fed_brings_it_out_of_bounds() {
    let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.5];
    let times = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(9), Duration::MAX];
    let outcomes = [LimitOutcome::Answered, LimitOutcome::Overloaded, LimitOutcome::Silent];
    for tolerance in odd {
        for window in times {
            let settings = AdaptiveSettings {
                initial: u32::MAX,
                min: 0,
                max: 500,
                tolerance,
                window,
                window_samples: 0,
                remeasure: window,
            };
            let mut adaptive = Adaptive::new(settings);
            let mut random = Sequence(7);
            for _ in 0..5000 {
                let mut any = |count: usize| random.next() as usize % count;
                let (latency, now, outcome) = (times[any(4)], times[any(4)], outcomes[any(3)]);
                let in_flight = [0, 1, 100, u32::MAX][any(4)];
                adaptive.on_sample(latency, in_flight, outcome, now);
                assert!((1..=500).contains(&adaptive.limit()));
            }
        }
    }
}
