use super::*;

#[tokio::test]
async fn stages_only_go_forward() {
    let drain = Drain::new();
    drain.advance(Stage::Closed);
    drain.advance(Stage::Draining);
    assert_eq!(drain.stage(), Stage::Closed);
    drain.reached(Stage::Draining).await;
}

#[tokio::test(start_paused = true)]
async fn running_down_gives_notice_first() {
    let drain = Drain::new();
    let other = drain.clone();
    let down = tokio::spawn(async move { other.run_down(Duration::from_secs(5)).await });
    drain.reached(Stage::Draining).await;
    assert_eq!(drain.stage(), Stage::Draining);
    down.await.unwrap();
    assert_eq!(drain.stage(), Stage::Closed);
}
