//! What single examples are there to show.

use e2e::client::{Request, ask};
use e2e::origin::Reply;

use crate::root;
use crate::running::{Running, until};

/// Each order of `examples/purge`, in a file beside the quickstart's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_order_does_what_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let example = |path: &str| root().join("examples").join(path);
    std::fs::copy(example("quickstart/pool.yaml"), folder.path().join("pool.yaml")).unwrap();
    let mut running = Running::start(&format!("local {}", folder.path().display())).await;
    let edge = running.edge("fra-0").await;
    let (hello, shoes) = (Request::get("/hello"), Request::get("/tagged/shoes"));
    let mut files: Vec<_> = std::fs::read_dir(example("purge"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    files.sort();
    assert_eq!(files, ["all.yaml", "ban.yaml", "prefix.yaml", "soft.yaml", "tag.yaml", "url.yaml"]);
    for file in files {
        for request in [&hello, &shoes] {
            until(edge, request, |answer| answer.field("x-cache") == "HIT").await;
        }
        // In one piece: `local` may look at any time.
        let (new, at) = (folder.path().join("new"), folder.path().join(&file));
        std::fs::copy(example("purge").join(&file), &new).unwrap();
        std::fs::rename(&new, &at).unwrap();
        let line = running.program.line(": complete on 8 nodes").await.unwrap();
        let answers = [ask(edge, &hello).await.unwrap(), ask(edge, &shoes).await.unwrap()];
        let words = answers.each_ref().map(|answer| answer.field("x-cache"));
        // The origin here says of all that it is about shoes.
        let wanted = match file.as_str() {
            "all.yaml" => ["HIT", "HIT"],
            "ban.yaml" | "prefix.yaml" => ["HIT", "MISS"],
            "soft.yaml" => ["STALE", "STALE"],
            "tag.yaml" => ["MISS", "MISS"],
            _ => ["MISS", "HIT"],
        };
        assert_eq!(words, wanted, "{file}: {line}");
        std::fs::remove_file(&at).unwrap();
        let gone = if file == "ban.yaml" { "its ban lifted" } else { "the new version runs" };
        running.program.line(gone).await.unwrap();
    }
    running.end().await;
}

/// As the README of `own-origin` tells it, with an origin that says nothing of lifetimes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_knows_nothing_of_a_cdn_is_cached_all_the_same() {
    let running = Running::start("local examples/own-origin").await;
    let page = Reply::ok("page").field("last-modified", "Wed, 01 Jan 2020 00:00:00 GMT");
    running.origin.always("/plain", page.clone());
    running.origin.always("/login", page.field("set-cookie", "session=1"));
    let edge = running.edge("here-0").await;
    let from = |campaign: &str| {
        Request::get(&format!("/plain?utm_source={campaign}"))
            .field("host", "www.example.com")
            .field("x-cdn-debug", "1")
    };
    ask(edge, &from("mail")).await.unwrap().expect(200, "MISS").expect_cache_status("ttl=599");
    until(edge, &from("search"), |answer| answer.field("x-cache") == "HIT").await;
    let login = Request::get("/login").field("host", "example.com").field("x-cdn-debug", "1");
    for _ in 0..2 {
        let answer = ask(edge, &login).await.unwrap();
        assert_ne!(answer.expect_status(200).field("x-cache"), "HIT", "{answer:#?}");
    }
    running.does("blue-origin purge url --soft https://www.example.com/plain");
    running.origin.always("/plain", Reply::status(503));
    let answer = ask(edge, &from("late")).await.unwrap();
    answer.expect(200, "STALE").expect_body("page");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_machines_never_hold_more_than_they_were_given() {
    let running = Running::start("local examples/disk-less").await;
    let large = "x".repeat(1 << 20);
    running.origin.on("*", move |_| Reply::fresh(600, large.clone()));
    running.origin.always("/film", Reply::fresh(600, "x".repeat(3 << 20)));
    let edge = running.edge("closet-0").await;
    let film = ask(edge, "/film").await.unwrap();
    film.expect_status(200).expect_cache_status("too-large");
    for n in 0..300 {
        ask(edge, &*format!("/{n}")).await.unwrap().expect_status(200);
    }
    for edge in running.edges().await {
        let bytes = edge["bytes"].as_u64().unwrap();
        // Both own about half of 300 MiB, which is more than they have room for.
        assert!((64 << 20..=96 << 20).contains(&bytes), "{edge:#}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_site_has_pools_keys_and_places_of_its_own() {
    let running = Running::start("local examples/large").await;
    assert_eq!(running.edges().await.len(), 46);
    let (fra, media) = (running.edge("web-fra-0").await, running.edge("media-fra-0").await);
    let page = |target: &str, more: &[(&str, &str)]| {
        let start = Request::get(target).field("host", "www.shop.example");
        more.iter().fold(start, |request, (name, value)| request.field(name, value))
    };
    let asked = |answer: &e2e::client::Answer| answer.field("cache-status").contains("; hit");
    ask(fra, page("/a?utm_source=mail", &[])).await.unwrap().expect_status(200);
    until(fra, &page("/a?gclid=1", &[]), asked).await;
    assert_eq!(running.origin.count("/a"), 1, "campaigns are one page");
    for currency in ["EUR", "USD"] {
        let cookie = format!("currency={currency}");
        ask(fra, page("/a", &[("cookie", &cookie)])).await.unwrap().expect_status(200);
    }
    assert_eq!(running.origin.count("/a"), 3, "currencies are others");
    ask(media, page("/a", &[])).await.unwrap().expect_status(421);
    // The office gets what is written, and nobody gets the place that is not open yet.
    let office = running.does("blue-origin where www.shop.example --from 192.0.2.7 --json");
    let sydney = running.does("blue-origin where www.shop.example --from 2001:db8:4000::1 --json");
    let pops = |said: &str| {
        let said: serde_json::Value = serde_json::from_str(said).unwrap();
        let candidates = said["candidates"].as_array().unwrap();
        candidates.iter().map(|one| one["pop"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pops(&office)[..2], ["fra", "ams"], "{office}");
    assert_eq!(pops(&sydney)[0], "sin", "{sydney}");
    assert_eq!(pops(&sydney).last().unwrap(), "syd", "{sydney}");
    let all = running.does("blue-origin purge all --dry-run");
    assert!(all.contains("53 nodes"), "{all}");
    running.end().await;
}
