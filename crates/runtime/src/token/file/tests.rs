use super::*;

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

fn admits(tokens: &Tokens, token: &str) -> bool {
    tokens.admits(Some(&bearer(token)))
}

#[test]
fn a_file_without_a_token_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let opened = |content: Option<&[u8]>| {
        let _ = std::fs::remove_file(&path);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        TokenFile::open(&path).map_err(|e| e.to_string())
    };
    let long = vec![b'a'; MOST + 1];
    for (content, says) in [
        (None, "cannot be read"),
        (Some(&b""[..]), "is empty"),
        (Some(b" \n\n"), "is empty"),
        (Some(b"\xff\xfe"), "is not text"),
        (Some(b"one\ntwo"), "is not one line"),
        (Some(b"one two"), "is not one line"),
        (Some(&long), "is too long"),
    ] {
        let error = opened(content).unwrap_err();
        assert!(error.contains(says) && error.contains("token"), "{error}");
    }
    let file = opened(Some(b" s3cret\n")).unwrap();
    assert!(admits(&file.tokens(), "s3cret"));
}

#[test]
fn the_last_good_token_goes_on_while_the_file_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "one").unwrap();
    let mut file = TokenFile::open(&path).unwrap();
    let tokens = file.tokens();
    for broken in [None, Some(""), Some("two\nthree")] {
        match broken {
            None => std::fs::remove_file(&path).unwrap(),
            Some(content) => std::fs::write(&path, content).unwrap(),
        }
        file.look();
        assert!(admits(&tokens, "one"), "{broken:?}");
        assert!(file.failing, "{broken:?}");
    }
    std::fs::write(&path, "two").unwrap();
    file.look();
    assert!(admits(&tokens, "two") && !admits(&tokens, "one"));
    assert!(!file.failing);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_counts_within_seconds_and_the_old_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (mount, one, two) =
        (folder.path().join("token"), folder.path().join("1"), folder.path().join("2"));
    std::fs::write(&one, "one").unwrap();
    std::fs::write(&two, "two").unwrap();
    std::os::unix::fs::symlink(&one, &mount).unwrap();
    let file = TokenFile::open(&mount).unwrap();
    let (tokens, drain) = (file.tokens(), Drain::new());
    let watching = tokio::spawn(file.watch(drain.clone()));
    tokio::time::sleep(LOOK * 2).await;
    assert!(admits(&tokens, "one"));
    let next = folder.path().join("next");
    std::os::unix::fs::symlink(&two, &next).unwrap();
    std::fs::rename(&next, &mount).unwrap();
    tokio::time::sleep(LOOK * 2).await;
    assert!(admits(&tokens, "two") && !admits(&tokens, "one"));
    drain.advance(Stage::Closed);
    watching.await.unwrap();
}
