use semantics::{LoopVerdict, append_cdn_loop, cdn_loop_check};

use crate::support::headers;

//= rfc8586#2
#[test]
fn a_request_that_comes_round_is_found() {
    let mut fields = headers(&[("cdn-loop", "foo123.foocdn.example")]);
    assert_eq!(cdn_loop_check(&fields, "blue.example"), LoopVerdict::Ok);
    append_cdn_loop(&mut fields, "blue.example");
    assert_eq!(fields["cdn-loop"], "foo123.foocdn.example, blue.example");
    append_cdn_loop(&mut fields, "barcdn.example; trace=\"abc, def\"");
    assert_eq!(cdn_loop_check(&fields, "BLUE.example"), LoopVerdict::Loop);
}
