use http::{Method, StatusCode};
use semantics::{Exchange, RequestDirectives, post_storable_as_get};

use crate::support::{Fields, NOW, headers, rfc_policy};

fn kept(method: &Method, status: u16, response: Fields<'_>) -> bool {
    let (request, response) = (headers(&[]), headers(response));
    let exchange = Exchange {
        method,
        request: &request,
        request_directives: &RequestDirectives::default(),
        status: StatusCode::from_u16(status).unwrap(),
        response: &response,
        request_time: NOW,
        response_time: NOW,
    };
    post_storable_as_get(&exchange, "https", "h", "/a?b", &rfc_policy()).is_ok()
}

//= rfc9110#9.3.3
#[test]
fn a_post_may_answer_later_gets() {
    let fresh = ("expires", "@60");
    let own = ("content-location", "/a?b");
    let post = Method::POST;
    for (method, status, response, expected) in [
        (&post, 200, &[fresh, own][..], true),
        (
            &post,
            201,
            &[("cache-control", "max-age=60"), ("content-location", "https://h/a?b")],
            true,
        ),
        (&post, 200, &[fresh], false),
        (&post, 200, &[fresh, ("content-location", "/a")], false),
        (&post, 200, &[fresh, ("content-location", "https://other/a?b")], false),
        (&post, 200, &[("etag", "\"a\""), own], false),
        (&post, 200, &[("last-modified", "@-9999"), own], false),
        (&post, 200, &[fresh, own, ("cache-control", "no-store")], false),
        (&post, 404, &[fresh, own], false),
        (&Method::PUT, 200, &[fresh, own], false),
        (&Method::GET, 200, &[fresh, own], false),
    ] {
        assert_eq!(kept(method, status, response), expected, "{method} {status} {response:?}");
    }
}
