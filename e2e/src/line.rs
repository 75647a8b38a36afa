//! A line between two programs that a test can cut, as a network does: without a word to either end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes carried at once.
const PIECE: usize = 16 << 10;

/// Carries TCP connections to one place. What is sent while it is cut arrives once it is healed.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Line {
    /// To `target`, from a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn to(target: SocketAddr) -> io::Result<Self> {
        Self::from(Ipv4Addr::LOCALHOST.into(), target).await
    }

    /// To `target`, from a free port of `here`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn from(here: IpAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((here, 0)).await?;
        let address = listener.local_addr()?;
        let (whole, watched) = watch::channel(true);
        let task = tokio::spawn(accept(listener, target, watched));
        Ok(Self { address, whole, task })
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, whole: watch::Receiver<bool>) {
    // Dropped with this task, and everything in it aborted.
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        connections.spawn(carry(near, target, whole.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// A connection that ends at one side ends at the other: each sees what it would see without the line.
async fn carry(
    mut near: TcpStream,
    target: SocketAddr,
    whole: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut gate = whole.clone();
    passed(&mut gate).await?;
    let mut far = TcpStream::connect(target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_near, to_near) = near.split();
    let (from_far, to_far) = far.split();
    tokio::try_join!(pour(from_near, to_far, whole), pour(from_far, to_near, gate))?;
    Ok(())
}

async fn pour(
    mut from: impl AsyncRead + Unpin,
    mut into: impl AsyncWrite + Unpin,
    mut whole: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let some = from.read(&mut piece).await?;
        passed(&mut whole).await?;
        match piece.get(..some) {
            Some([]) | None => return into.shutdown().await,
            Some(bytes) => into.write_all(bytes).await?,
        }
    }
}

async fn passed(whole: &mut watch::Receiver<bool>) -> io::Result<()> {
    whole.wait_for(|whole| *whole).await.map(|_| ()).map_err(io::Error::other)
}
