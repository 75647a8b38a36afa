//! The process: files in, a running CDN, Ctrl-C out.

use std::time::Duration;

use anyhow::Context;
use runtime::token::Token;
use runtime::{Clock, drain, random};
use translate::{BadText, Diagnostics, TranslatedOrder, with_origin};

use crate::files::{self, File, FilesError};
use crate::name_server::DnsSettings;
use crate::options::{Command, Options, Run};
use crate::orders::Orders;
use crate::plan::{Ports, Wanted};
use crate::screen::{self, Live};
use crate::world::{Settings, World, WorldError};

const LOOK: Duration = Duration::from_millis(500);
const REDRAW: Duration = Duration::from_secs(1);

/// How it came to its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was finished.
    Finished,
    /// It was told a second time to stop, and left what was in flight.
    CutShort,
}

/// Does what the command line says.
///
/// # Errors
/// With everything that is wrong with the files, or why the CDN cannot run.
pub fn run(options: &Options) -> anyhow::Result<Ended> {
    match &options.command {
        Some(Command::Snapshot(run)) => print_snapshot(run).map(|()| Ended::Finished),
        None => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let ended = runtime.block_on(serve(&options.run));
            // Whatever still runs by now was left behind, and nobody waits for it.
            runtime.shutdown_background();
            ended
        }
    }
}

/// Whether an error is the fault of the user's files or options: exit code 2.
pub fn is_bad_input(error: &anyhow::Error) -> bool {
    let given = |error: &WorldError| matches!(error, WorldError::Plan(_) | WorldError::Origin(..));
    error.is::<Diagnostics>()
        || error.is::<FilesError>()
        || error.is::<BadText>()
        || error.downcast_ref().is_some_and(given)
}

/// What the files come to: what runs, and what is ordered.
fn meaning(files: &[File]) -> anyhow::Result<(Wanted, Vec<TranslatedOrder>)> {
    let translation = files::translation(files);
    if !translation.diagnostics.is_empty() {
        return Err(Diagnostics(translation.diagnostics).into());
    }
    if translation.pools.is_empty() {
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        return Err(FilesError::NoPool { names: names.join(", ") }.into());
    }
    let wanted = Wanted { pools: translation.pools, shields: translation.shields };
    Ok((wanted, translation.orders))
}

fn print_snapshot(run: &Run) -> anyhow::Result<()> {
    let (mut wanted, _) = meaning(&files::read(&run.paths)?)?;
    let pools = &mut wanted.pools[..];
    let [pool] = pools else {
        return Err(FilesError::NotOnePool(pools.len()).into());
    };
    if let Some(origin) = &run.origin {
        with_origin(pool, origin).with_context(|| format!("--origin {origin}"))?;
    }
    screen::say(&(serde_json::to_string_pretty(&pool.snapshot)? + "\n"));
    Ok(())
}

async fn serve(run: &Run) -> anyhow::Result<Ended> {
    let mut seen = files::read(&run.paths)?;
    let (wanted, first) = meaning(&seen)?;
    let token = match &run.admin_token {
        Some(token) => token.clone(),
        None => random::hex()
            .context("no randomness for an admin token; give one with --admin-token")?,
    };
    let settings = Settings {
        ports: Ports::From(run.base_port),
        origin: run.origin.clone(),
        token: Token::new(&token),
        dns: Some(DnsSettings { places: run.places.clone() }),
        clock: Clock::system(),
    };
    let stop = drain::stop_signal()?;
    let world = World::start(wanted, settings).await?;
    screen::say(&screen::welcome(&world, &token));
    let mut orders = Orders::default();
    for line in orders.take_over(&world, &first).await {
        screen::say(&format!("{line}\n"));
    }
    let mut live = Live::new();
    let mut look = tokio::time::interval(LOOK);
    let mut redraw = tokio::time::interval(REDRAW);
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = redraw.tick() => live.draw(&world),
            _ = look.tick() => {
                // A file that is away for a moment is being saved.
                let Ok(now) = files::read(&run.paths) else { continue };
                if now != seen {
                    live.leave();
                    take_over(&world, &mut orders, &now).await;
                    seen = now;
                }
            }
        }
    }
    let again = drain::stop_signal()?;
    screen::say("\nfinishing what is in flight … Ctrl-C again ends it now\n");
    tokio::select! {
        () = world.stop() => Ok(Ended::Finished),
        () = again => Ok(Ended::CutShort),
    }
}

async fn take_over(world: &World, given: &mut Orders, files: &[File]) {
    let mut told = Vec::new();
    let before = screen::servers(world);
    let taken = match meaning(files) {
        Ok((wanted, orders)) => match world.apply(wanted).await {
            Ok(()) => {
                told = screen::servers(world);
                told.retain(|line| !before.contains(line));
                told.extend(given.take_over(world, &orders).await);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        },
        Err(why) => Err(why.to_string()),
    };
    screen::say(&match taken {
        Ok(()) => "the files changed; the new version runs\n".to_owned(),
        Err(why) => {
            format!("{why}\nthe files changed but cannot be used; the last good version runs\n")
        }
    });
    for line in told {
        screen::say(&format!("{line}\n"));
    }
}
