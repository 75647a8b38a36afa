use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// What becomes of reading `path`, which must not take forever.
fn outcome(path: &Path) -> Result<String, String> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || sender.send(read_text(&path).map_err(|error| error.to_string())));
    receiver.recv_timeout(Duration::from_secs(10)).unwrap()
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = UnixListener::bind(&socket).unwrap();
    for (path, what) in [
        (&*pipe, "a pipe"),
        (&socket, "a socket"),
        (Path::new("/dev/null"), "a device"),
        (folder.path(), "a folder"),
    ] {
        assert_eq!(outcome(path), Err(format!("it is {what}, not a regular file")));
    }
}

#[test]
fn a_mounted_file_is_a_link_to_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("..version")).unwrap();
    fs::write(folder.path().join("..version/token"), "one").unwrap();
    symlink("..version", folder.path().join("..data")).unwrap();
    let path = folder.path().join("token");
    symlink("..data/token", &path).unwrap();
    assert_eq!(outcome(&path), Ok("one".into()));
    assert_eq!(read(&path).unwrap(), b"one");
}
