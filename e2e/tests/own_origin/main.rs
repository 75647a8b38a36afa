//! `make demo ORIGIN=http://…` in front of a real web server: what an edge answers is what nginx
//! answers, byte for byte and status by status.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

mod site;

use std::io::Read;

use bytes::Bytes;
use e2e::client::{Answer, Client, Request};
use flate2::read::GzDecoder;

use site::{Site, large, to};

/// Fields that speak of the content: an edge must not change them.
const SAME: [&str; 8] = [
    "content-type",
    "content-length",
    "content-range",
    "content-encoding",
    "etag",
    "last-modified",
    "cache-control",
    "allow",
];

/// Asks nginx once and the edge twice: what it fetched, and what it may have stored.
async fn same(site: &Site, request: impl Into<Request>) -> Answer {
    let request = request.into();
    let straight = site.straight(&request).await;
    for times in 1..=2 {
        let edge = site.edge(&request).await;
        let what = format!("{request:#?}, time {times}: {straight:#?} but {edge:#?}");
        assert_eq!(edge.status, straight.status, "{what}");
        assert!(edge.body == straight.body && edge.cut == straight.cut, "{what}");
        for name in SAME {
            assert_eq!(edge.fields.all(name), straight.fields.all(name), "{name} of {what}");
        }
        // nginx names itself as it was called, which is not the same both times.
        assert_eq!(path(&edge), path(&straight), "{what}");
    }
    straight
}

/// The path that a redirect leads to.
fn path(answer: &Answer) -> Option<&str> {
    let location = answer.fields.get("location")?;
    match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|at| &rest[at..]),
        None => Some(location),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_images_and_errors_are_the_same() {
    let site = Site::start().await;
    for (target, status) in [
        ("/", 200),
        ("/index.html", 200),
        ("/page.html?with=query", 200),
        ("/image.png", 200),
        ("/empty.txt", 200),
        ("/folder/", 200),
        ("/unmarked/page.html", 200),
        ("/with%20space/%C3%A4.txt", 200),
        ("/absent.html", 404),
        ("/unmarked/", 403),
        ("/folder", 301),
        ("/relative/folder", 301),
    ] {
        same(&site, target).await.expect_status(status);
        same(&site, Request::new("HEAD", target)).await.expect_status(status);
    }
    // What nginx lets be stored is answered from the store.
    for target in ["/index.html", "/image.png", "/folder"] {
        site.edge(target).await.expect_cache_status("; hit");
    }
    same(&site, "/relative/folder").await.expect_field("location", "/relative/folder/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_before_any_get_is_the_same() {
    let site = Site::start().await;
    for target in ["/image.png", "/absent.html", "/folder"] {
        same(&site, Request::new("HEAD", target)).await;
        same(&site, target).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_are_the_same_before_and_after_it_is_stored() {
    let site = Site::start().await;
    let whole = site.straight("/image.png").await;
    let (tag, date) = (whole.field("etag"), whole.field("last-modified"));
    let ranges = [
        ("bytes=0-0", 206),
        ("bytes=1000-1999", 206),
        ("bytes=299990-", 206),
        ("bytes=299990-400000", 206),
        ("bytes=-1", 206),
        ("bytes=-5000", 206),
        ("bytes=400000-", 416),
        ("lines=1-2", 200),
    ];
    for stored in [false, true] {
        for (n, (range, status)) in ranges.into_iter().enumerate() {
            // Under a name of its own, each begins with an empty store.
            let target = if stored { "/image.png".to_owned() } else { format!("/image.png?{n}") };
            let request = Request::get(&target).field("range", range);
            same_range(&site, &request).await.expect_status(status);
        }
        let target = if stored { "/image.png" } else { "/image.png?if" };
        let request = Request::get(target).field("range", "bytes=5-9");
        for (validator, status) in
            [(tag, 206), (date, 206), ("\"other\"", 200), ("Mon, 01 Jan 2001 00:00:00 GMT", 200)]
        {
            let request = request.clone().field("if-range", validator);
            same_range(&site, &request).await.expect_status(status);
        }
        same(&site, "/image.png").await.expect_status(200);
    }
    site.edge(Request::get("/image.png").field("range", "bytes=7-8"))
        .await
        .expect_status(206)
        .expect_cache_status("; hit");
}

/// As [`same`], but a 416 may say what is wrong in its own words.
async fn same_range(site: &Site, request: &Request) -> Answer {
    let straight = site.straight(request).await;
    if straight.status != 416 {
        return same(site, request).await;
    }
    for _ in 1..=2 {
        let edge = site.edge(request).await;
        edge.expect_status(416);
        assert_eq!(edge.fields.all("content-range"), straight.fields.all("content-range"));
    }
    straight
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_ranges_are_the_same_parts() {
    let site = Site::start().await;
    for ranges in ["bytes=0-9,100-199,-50", "bytes=200000-200100,10-20"] {
        let request = Request::get("/image.png").field("range", ranges);
        let straight = site.straight(&request).await;
        straight.expect_status(206);
        for _ in 1..=2 {
            let edge = site.edge(&request).await;
            edge.expect_status(206);
            assert_eq!(parts(&edge), parts(&straight), "{ranges}");
        }
        same(&site, "/image.png").await;
    }
}

/// The parts of a `multipart/byteranges` body: their fields in order of names, and their bytes.
fn parts(answer: &Answer) -> Vec<(Vec<String>, Vec<u8>)> {
    let (kind, boundary) = answer.field("content-type").split_once("boundary=").unwrap();
    assert!(kind.starts_with("multipart/byteranges"), "{answer:#?}");
    let delimiter = format!("--{}", boundary.trim_matches('"')).into_bytes();
    let body = &*answer.body;
    let find = |from: usize, what: &[u8]| {
        body[from..].windows(what.len()).position(|w| w == what).map(|at| from + at)
    };
    let mut at = find(0, &delimiter).unwrap();
    let mut parts = Vec::new();
    loop {
        at += delimiter.len();
        if body[at..].starts_with(b"--") {
            return parts;
        }
        let data = find(at, b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&body[at..data]).to_ascii_lowercase();
        let mut fields: Vec<String> = head.trim().lines().map(|l| l.trim().to_owned()).collect();
        fields.sort_unstable();
        at = find(data, &delimiter).unwrap();
        parts.push((fields, body[data + 4..at - 2].to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditional_requests_are_the_same() {
    let site = Site::start().await;
    for target in ["/page.html", "/unmarked/page.html"] {
        let whole = site.straight(target).await;
        let (tag, date) = (whole.field("etag"), whole.field("last-modified"));
        for (name, value, status) in [
            ("if-none-match", tag, 304),
            ("if-none-match", "\"other\"", 200),
            ("if-none-match", "*", 304),
            ("if-modified-since", date, 304),
            ("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT", 200),
        ] {
            let request = Request::get(target).field(name, value);
            let straight = site.straight(&request).await;
            straight.expect_status(status);
            for _ in 1..=2 {
                let edge = site.edge(&request).await;
                edge.expect_status(status);
                assert_eq!(edge.fields.all("etag"), straight.fields.all("etag"));
                assert_eq!(edge.body, straight.body);
            }
        }
        same(&site, target).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_arrives() {
    let site = Site::start().await;
    let form = Request::new("POST", "/echo").body("a=1&b=two").field("content-type", "text/plain");
    same(&site, form).await.expect_status(200).expect_body("POST a=1&b=two");
    same(&site, Request::new("POST", "/page.html").body("x")).await.expect_status(405);
    same(&site, Request::new("DELETE", "/page.html")).await.expect_status(405);

    let upload: Bytes = (0..3_000_000_u32).map(|n| (n >> 3) as u8).collect::<Vec<u8>>().into();
    let put = Request::new("PUT", "/put/new.bin").body(upload.clone());
    site.edge(&put).await.expect_status(201);
    assert!(std::fs::read(site.path("put/new.bin")).unwrap() == upload);
    same(&site, "/put/new.bin").await.expect_status(200).expect_body(&upload);
    // A change by way of the edge is seen there at once.
    site.edge(Request::new("PUT", "/put/new.bin").body("changed")).await.expect_status(204);
    same(&site, "/put/new.bin").await.expect_status(200).expect_body("changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nginx_compresses_is_the_same_decoded() {
    let site = Site::start().await;
    let plain = site.straight("/gzip/page.txt").await;
    plain.expect_status(200).expect_no("content-encoding");
    let request = Request::get("/gzip/page.txt").field("accept-encoding", "gzip");
    let straight = site.straight(&request).await;
    assert!(straight.expect_field("content-encoding", "gzip").body.len() < plain.body.len() / 2);
    for _ in 1..=3 {
        let edge = site.edge(&request).await;
        edge.expect_status(200).expect_field("content-encoding", "gzip");
        assert!(edge.body.len() < plain.body.len() / 2);
        assert_eq!(decoded(&edge), plain.body);
        assert_eq!(decoded(&edge), decoded(&straight));
        site.edge("/gzip/page.txt").await.expect_no("content-encoding").expect_body(&plain.body);
    }
}

fn decoded(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap();
    plain
}

/// A gibibyte, much more than the largest object that is stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_download_streams_in_little_memory() {
    const MIB: u64 = 1 << 20;
    let len = 1024 * MIB;
    let site = Site::start().await;
    large(&site.path("large.bin"), len).unwrap();
    same(&site, "/page.html").await;
    let before = site.local.resident().unwrap();
    let (mut straight, mut edge) =
        (Client::connect(site.straight).await.unwrap(), Client::connect(site.edge).await.unwrap());
    for (client, address) in [(&mut straight, site.straight), (&mut edge, site.edge)] {
        client.send(to(address, Request::get("/large.bin"))).await.unwrap();
        let head = client.head().await.unwrap();
        head.expect_status(200).expect_field("content-length", &len.to_string());
    }
    let (mut compared, mut looked, mut most) = (0, 0, before);
    let (mut one, mut other) = (Bytes::new(), Bytes::new());
    while compared < len {
        if one.is_empty() {
            one = straight.piece().await.unwrap().unwrap();
        }
        if other.is_empty() {
            other = edge.piece().await.unwrap().unwrap();
        }
        let common = one.len().min(other.len());
        assert!(one.split_to(common) == other.split_to(common), "other bytes after {compared}");
        compared += common as u64;
        if compared - looked >= 4 * MIB {
            looked = compared;
            most = most.max(site.local.resident().unwrap());
        }
    }
    assert!(one.is_empty() && other.is_empty());
    assert!(straight.piece().await.unwrap().is_none() && edge.piece().await.unwrap().is_none());
    // What may wait for a slow client is no more than what would have been stored.
    let grown = (most - before) / MIB;
    assert!(grown < 64, "{grown} MiB more than the {} MiB before", before / MIB);
}
