//! Values that cannot be meant are refused with the reason.

use super::template;

#[test]
fn values_that_cannot_be_are_refused() {
    let cases = [
        (&[r#"redis.enabled=false"#][..], "without a log no purge reaches an edge"),
        (&[r#"log.url="redis://r""#], "a network has one log"),
        (
            &[r#"redis.enabled=false"#, r#"log.url="redis://r""#, r#"log.existingSecret="s""#],
            "a network has one log",
        ),
        (&[r#"geodns.places={"existingSecret":"a"}"#], "the names of their files"),
        (
            &[r#"geodns.places={"existingSecret":"a","existingClaim":"b","files":["c"]}"#],
            "give one of geodns.places",
        ),
        (&[r#"log.url="http://r""#, r#"redis.enabled=false"#], "/log/url"),
        (&[r#"operator.replica=3"#], "replica"),
        (&[r#"geodns.service.type="Loadbalancer""#], "/geodns/service/type"),
    ];
    for (settings, part) in cases {
        let made = template(settings);
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(!made.status.success() && said.contains(part), "{settings:?}: {said}");
    }
}
