//! Ranges of what is stored or being stored (E9).

use e2e::client::{Answer, Client, Request};
use e2e::gate::Gate;
use e2e::origin::{Origin, Reply, pattern};
use e2e::world::World;
use serde_json::json;

use crate::support::{start, start_with};

fn range(target: &str, range: &str) -> Request {
    Request::get(target).field("range", range)
}

/// A hundred bytes at `/a`, stored.
async fn stored() -> (Origin, World) {
    let (origin, world) = start().await;
    let reply =
        Reply::fresh(60, pattern(0, 100)).field("etag", "\"one\"").field("content-type", "a/b");
    origin.always("/a", reply.field("last-modified", "Mon, 04 Jan 2027 10:00:00 GMT"));
    world.ask("/a").await.expect(200, "MISS").expect_field("accept-ranges", "bytes");
    world.settled().await;
    (origin, world)
}

#[tokio::test]
async fn one_range_is_cut_from_what_is_stored() {
    let (origin, world) = stored().await;
    for (asked, from, to) in [
        ("bytes=0-9", 0, 9),
        ("bytes=50-50", 50, 50),
        ("bytes=95-", 95, 99),
        ("bytes=-5", 95, 99),
        ("bytes=90-200", 90, 99),
        ("bytes=-200", 0, 99),
        ("BYTES=0-9", 0, 9),
    ] {
        let answer = world.ask(range("/a", asked)).await;
        answer.expect(206, "HIT").expect_body(pattern(from, (to - from + 1) as usize));
        answer.expect_field("content-range", &format!("bytes {from}-{to}/100"));
        answer.expect_field("content-type", "a/b").expect_field("etag", "\"one\"");
    }
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_range_behind_the_end_is_416() {
    let (_origin, world) = stored().await;
    for asked in ["bytes=100-", "bytes=200-300", "bytes=-0"] {
        let answer = world.ask(range("/a", asked)).await;
        answer.expect_status(416).expect_field("content-range", "bytes */100");
        // An error is not kept as long as what it is about.
        answer.expect_no("cache-control").expect_no("age").expect_no("content-type");
    }
}

#[tokio::test]
async fn what_is_no_range_gets_the_whole() {
    let (_origin, world) = stored().await;
    for asked in ["bytes=9-0", "lines=0-9", "bytes=", "bytes=a-b", "0-9", "bytes=0-9, x"] {
        world.ask(range("/a", asked)).await.expect(200, "HIT").expect_body(pattern(0, 100));
    }
    let head = Request::new("HEAD", "/a").field("range", "bytes=0-9");
    world.ask(head).await.expect(200, "HIT").expect_field("content-length", "100");
}

/// The parts of a `multipart/byteranges`: `Content-Range` and bytes.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let boundary = answer.field("content-type").strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.unwrap_or_else(|| panic!("{answer:#?}")).trim_matches('"');
    let find = |from: usize, what: &str| {
        let rest = &answer.body[from..];
        from + rest.windows(what.len()).position(|w| w == what.as_bytes()).unwrap()
    };
    let mut parts = Vec::new();
    let (first, between) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}"));
    let mut at = find(0, &first) + first.len();
    loop {
        let body = find(at, "\r\n\r\n") + 4;
        let head = String::from_utf8_lossy(&answer.body[at..body]).to_lowercase();
        assert!(head.contains("content-type: a/b"), "{head}");
        let line = head.lines().find_map(|l| l.strip_prefix("content-range: ")).unwrap().to_owned();
        let end = find(body, &between);
        parts.push((line, answer.body[body..end].to_vec()));
        at = end + between.len();
        if answer.body[at..].starts_with(b"--") {
            return parts;
        }
        at += 2;
    }
}

#[tokio::test]
async fn several_ranges_come_as_parts() {
    let (_origin, world) = stored().await;
    let answer = world.ask(range("/a", "bytes=0-4, 50-54,-3")).await;
    answer.expect(206, "HIT").expect_no("content-range");
    assert_eq!(answer.field("content-length"), answer.body.len().to_string());
    let wanted = [(0, 4), (50, 54), (97, 99)].map(|(from, to)| {
        (format!("bytes {from}-{to}/100"), pattern(from, (to - from + 1) as usize).to_vec())
    });
    assert_eq!(parts(&answer), wanted);
    // One of two can be had.
    let one = world.ask(range("/a", "bytes=0-4,200-")).await;
    one.expect_status(206)
        .expect_field("content-range", "bytes 0-4/100")
        .expect_body(pattern(0, 5));
}

#[tokio::test]
async fn more_ranges_than_allowed_get_the_whole() {
    let (origin, world) = start_with(|s| s.site(json!({ "ranges": { "max": 2 } }))).await;
    origin.always("/a", Reply::fresh(60, pattern(0, 100)).field("content-type", "a/b"));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    assert_eq!(parts(&world.ask(range("/a", "bytes=0-0,5-5")).await).len(), 2);
    world
        .ask(range("/a", "bytes=0-0,5-5,9-9"))
        .await
        .expect(200, "HIT")
        .expect_body(pattern(0, 100));
}

#[tokio::test]
async fn if_range_decides_between_part_and_whole() {
    let (_origin, world) = stored().await;
    for (value, status) in [
        ("\"one\"", 206),
        ("\"two\"", 200),
        ("W/\"one\"", 200),
        ("Mon, 04 Jan 2027 10:00:00 GMT", 206),
        ("Tue, 05 Jan 2027 10:00:00 GMT", 200),
        ("nonsense", 200),
    ] {
        let answer = world.ask(range("/a", "bytes=0-9").field("if-range", value)).await;
        assert_eq!(answer.status, status, "{value}");
        let length = if status == 206 { 10 } else { 100 };
        answer.expect_body(pattern(0, length));
    }
    // A condition comes before a range.
    let fresh = range("/a", "bytes=0-9").field("if-none-match", "\"one\"");
    world.ask(fresh).await.expect_status(304);
}

#[tokio::test]
async fn a_range_on_a_miss_fetches_the_whole_once() {
    let (origin, world) = start().await;
    origin.always("/a", Reply::fresh(60, pattern(0, 1000)));
    let answer = world.ask(range("/a", "bytes=10-19")).await;
    answer
        .expect(206, "MISS")
        .expect_body(pattern(10, 10))
        .expect_field("content-range", "bytes 10-19/1000");
    assert!(!origin.last("/a").fields.has("range"));
    world.settled().await;
    world.ask(range("/a", "bytes=990-")).await.expect(206, "HIT").expect_body(pattern(990, 10));
    world.ask("/a").await.expect(200, "HIT").expect_body(pattern(0, 1000));
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn a_range_is_cut_while_the_rest_still_comes_in() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    origin.always(
        "/a",
        Reply::fresh(60, pattern(0, 500))
            .then_after(&gate)
            .then(pattern(500, 500))
            .announcing(1000),
    );
    let mut leader = world.connect().await;
    leader.send("/a").await.unwrap();
    leader.head().await.unwrap().expect(200, "MISS");
    world.ask(range("/a", "bytes=100-199")).await.expect_status(206).expect_body(pattern(100, 100));
    let mut waits = world.connect().await;
    waits.send(range("/a", "bytes=450-549")).await.unwrap();
    waits
        .head()
        .await
        .unwrap()
        .expect_status(206)
        .expect_field("content-range", "bytes 450-549/1000");
    assert_eq!(waits.body(50).await.unwrap().0, pattern(450, 50));
    gate.open();
    assert_eq!(waits.body(usize::MAX).await.unwrap(), (pattern(500, 50), false));
    assert_eq!(leader.body(usize::MAX).await.unwrap(), (pattern(0, 1000), false));
    assert_eq!(origin.count("/a"), 1);
}

#[tokio::test]
async fn several_ranges_while_filling_with_a_slow_client_complete() {
    let (origin, world) = start().await;
    let gate = Gate::closed();
    let reply = Reply::fresh(60, pattern(0, 1000)).then_after(&gate).then_pattern(4 << 20);
    origin.always("/a", reply.announcing(1000 + (4 << 20)).field("content-type", "a/b"));
    let mut client = Client::connect_narrow(world.address).await.unwrap();
    client.send(range("/a", "bytes=4100000-4100099,0-99,2000000-3999999")).await.unwrap();
    origin.was_asked("/a", 1).await.unwrap();
    gate.open();
    let answer = client.answer().await.unwrap();
    answer.expect_status(206);
    let parts = parts(&answer);
    assert_eq!(parts.iter().map(|(_, b)| b.len()).collect::<Vec<_>>(), [100, 100, 2_000_000]);
    assert!(parts[0].1 == pattern(4_100_000, 100) && parts[2].1 == pattern(2_000_000, 2_000_000));
}

#[tokio::test]
async fn ranges_of_a_large_body_are_exact_at_every_seam() {
    let (origin, world) = start().await;
    let length = 1 << 20;
    origin.always("/a", Reply::fresh(60, "").then_pattern(length));
    world.ask("/a").await.expect(200, "MISS");
    world.settled().await;
    let mut client = world.connect().await;
    for seam in [64 << 10, 256 << 10, 512 << 10, 768 << 10] {
        for (from, to) in
            [(seam - 1, seam), (seam, seam), (seam - 1, seam - 1), (seam - 9, seam + 300_000)]
        {
            let to = u64::min(to, length - 1);
            let answer = client.ask(range("/a", &format!("bytes={from}-{to}"))).await.unwrap();
            answer.expect_status(206).expect_body(pattern(from, (to - from + 1) as usize));
        }
    }
}

#[tokio::test]
async fn a_range_of_what_is_not_stored_is_the_origins_affair() {
    let (origin, world) = start().await;
    origin.on("/a", |asked| {
        let reply = match asked.fields.get("range") {
            Some("bytes=0-9") => {
                Reply::status(206).then(pattern(0, 10)).field("content-range", "bytes 0-9/100")
            }
            _ => Reply::ok(pattern(0, 100)),
        };
        reply.field("cache-control", "no-store")
    });
    world.ask("/a").await.expect(200, "MISS");
    world.ask(range("/a", "bytes=0-9")).await.expect(206, "PASS").expect_body(pattern(0, 10));
}

/// Parts are not put together: one would answer requests for all the others.
//= rfc9111#3.3
#[tokio::test]
async fn a_part_that_nobody_asked_for_is_not_stored() {
    let (origin, world) = start().await;
    let part = Reply::status(206).then(pattern(0, 5)).field("content-range", "bytes 0-4/100");
    origin.always("/a", part.field("cache-control", "max-age=1000"));
    world.ask("/a").await.expect(206, "MISS").expect_cache_status("detail=partial-content");
    world.settled().await;
    world.ask(range("/a", "bytes=90-95")).await.expect(206, "PASS");
    assert_eq!(origin.last("/a").fields.get("range"), Some("bytes=90-95"));
    assert_eq!(world.node.cache.stats().objects, 0);
}

/// It is part of what a client gets who sends the same but for the range.
//= rfc9110#15.3.7
#[tokio::test]
async fn a_part_says_that_the_whole_depends_on_the_coding() {
    let (origin, world) = start().await;
    let text = "text ".repeat(1000);
    origin.always("/a", Reply::fresh(60, text).field("content-type", "text/plain"));
    for _ in 0..2 {
        let asked = range("/a", "bytes=0-1").field("accept-encoding", "br");
        let part = world.ask(asked).await;
        part.expect_status(206).expect_body("te").expect_field("vary", "Accept-Encoding");
        part.expect_no("content-encoding");
        world.settled().await;
    }
}
