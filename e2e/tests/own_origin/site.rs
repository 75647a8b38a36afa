//! A web server as people have one, nginx with a small site, and the whole CDN in front of it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use e2e::client::{Answer, Request, ask};
use e2e::program::{LOCAL_PORTS, Program, free_ports};
use tempfile::TempDir;

/// nginx, and the `local` program that `make demo ORIGIN=…` runs. All of it ends when this is dropped.
pub(crate) struct Site {
    /// Dropped first: it asks nginx.
    pub(crate) local: Program,
    /// An edge's address.
    pub(crate) edge: SocketAddr,
    /// nginx's own address.
    pub(crate) straight: SocketAddr,
    folder: TempDir,
    _nginx: Nginx,
}

struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How often another port is tried when somebody else was quicker.
const TRIES: usize = 5;

impl Site {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (nginx, straight) = nginx(folder.path());
        let (local, edge) = local(straight).await;
        Self { local, edge, straight, folder, _nginx: nginx }
    }

    /// A file of the site.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("www").join(name)
    }

    pub(crate) async fn straight(&self, request: impl Into<Request>) -> Answer {
        get(self.straight, request.into()).await
    }

    pub(crate) async fn edge(&self, request: impl Into<Request>) -> Answer {
        get(self.edge, request.into()).await
    }
}

/// A request as a browser would send it there.
pub(crate) fn to(address: SocketAddr, request: Request) -> Request {
    request.field("host", &address.to_string())
}

async fn get(address: SocketAddr, request: Request) -> Answer {
    ask(address, to(address, request)).await.unwrap()
}

async fn local(origin: SocketAddr) -> (Program, SocketAddr) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart");
    let mut last = None;
    for _ in 0..TRIES {
        let port = free_ports(LOCAL_PORTS);
        let (origin, base) = (format!("http://{origin}"), port.to_string());
        let arguments = [example, "--origin", &origin, "--base-port", &base];
        let mut program = Program::start("local", &arguments).unwrap();
        match program.line("Blue Origin is running").await {
            Ok(_) => return (program, SocketAddr::from(([127, 0, 0, 1], port + 1))),
            Err(error) => last = Some(error),
        }
    }
    panic!("{last:?}");
}

fn nginx(folder: &Path) -> (Nginx, SocketAddr) {
    fill(&folder.join("www")).unwrap();
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];
    let program = program.into_iter().find(|path| Path::new(path).exists()).unwrap_or("nginx");
    let mut said = String::new();
    for _ in 0..TRIES {
        let address = SocketAddr::from(([127, 0, 0, 1], free_ports(1)));
        fs::write(folder.join("nginx.conf"), configuration(folder, address)).unwrap();
        let log = File::create(folder.join("said.log")).unwrap();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nginx is needed: bash .ci/need nginx");
        let mut nginx = Nginx(child);
        for _ in 0..500 {
            if nginx.0.try_wait().unwrap().is_some() {
                break;
            }
            if TcpStream::connect(address).is_ok() {
                return (nginx, address);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        said = fs::read_to_string(folder.join("said.log")).unwrap_or_default();
    }
    panic!("nginx does not start: {said}");
}

/// One process, so that nothing is left when it is killed.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{
        text/html html;
        text/plain txt;
        image/png png;
        application/octet-stream bin;
    }}
    server {{
        listen {address};
        root {folder}/www;
        client_max_body_size 0;
        location / {{ expires 1h; }}
        location /unmarked/ {{ }}
        location /relative/ {{ expires 1h; absolute_redirect off; }}
        location /gzip/ {{
            expires 1h;
            gzip on;
            gzip_proxied any;
            gzip_vary on;
            gzip_min_length 1;
            gzip_types text/plain;
        }}
        location /put/ {{ dav_methods PUT; create_full_put_path on; }}
        location /echo {{
            client_body_in_single_buffer on;
            client_body_buffer_size 64k;
            proxy_set_header X-Body $request_body;
            proxy_set_header X-Method $request_method;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_set_header Content-Length \"\";
            proxy_pass http://{address}/echoed;
        }}
        location /echoed {{ default_type text/plain; return 200 \"$http_x_method $http_x_body\"; }}
    }}
}}
"
    )
}

/// The files, older than the second in which they are asked for: only so is their date a strong one.
fn fill(www: &Path) -> std::io::Result<()> {
    let text = |lines: usize| (0..lines).map(|n| format!("line {n} of many\n")).collect::<String>();
    let image: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    for (name, bytes) in [
        ("index.html", b"<!doctype html><title>hello</title>".to_vec()),
        ("image.png", image.clone()),
        ("page.html", text(500).into_bytes()),
        ("empty.txt", Vec::new()),
        ("folder/index.html", b"<p>a folder".to_vec()),
        ("relative/folder/index.html", b"<p>another".to_vec()),
        ("unmarked/page.html", text(50).into_bytes()),
        ("with space/\u{e4}.txt", b"odd name".to_vec()),
        ("gzip/page.txt", text(2_000).into_bytes()),
    ] {
        let path = www.join(name);
        fs::create_dir_all(path.parent().unwrap_or(www))?;
        fs::write(&path, bytes)?;
        File::options().write(true).open(&path)?.set_modified(long_ago())?;
    }
    Ok(())
}

/// A file with holes, and a few bytes that differ from place to place.
pub(crate) fn large(path: &Path, len: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.set_len(len)?;
    for at in (0..len).step_by(1 << 20) {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(format!("at {at:012}").as_bytes())?;
    }
    file.set_modified(long_ago())
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}
