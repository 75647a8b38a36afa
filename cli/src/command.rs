//! What each command does.

use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use wire::invalidation::PurgeReport;

use crate::answers::{BanAdded, BanList, LogState};
use crate::api::{Api, Ask, segment};
use crate::failure::Failure;
use crate::options::{Ban, BanAdd, Command, How, Options, Output, Purge};
use crate::progress::Progress;
use crate::wait::{self, Patience};
use crate::{Io, TOKEN_VARIABLE, directions, show, whereabouts};

/// How long nodes may count after a purge is complete before the count so far is told.
const COUNT: Duration = Duration::from_secs(3);

/// Does what was asked for.
pub(crate) async fn execute(options: &Options, io: &mut Io<'_>) -> Result<(), Failure> {
    let api = Api::new(&options.api, token(options, io)?.as_deref()).map_err(Failure::Usage)?;
    let session = Session { api, options };
    match &options.command {
        Command::Purge(purge) => session.purge(purge, io).await,
        Command::Ban(Ban::Add(ban)) => session.ban(ban, io).await,
        Command::Ban(Ban::List) => session.show("/ban", show::bans as fn(&BanList) -> _, io).await,
        Command::Ban(Ban::Lift { id, no_wait }) => session.lift(id, *no_wait, io).await,
        Command::Status { id: None } => {
            session.show("/log", show::log as fn(&LogState) -> _, io).await
        }
        Command::Status { id: Some(id) } => {
            let (report, value) = session.api.report(id, Duration::ZERO).await?;
            session.print(&value, &show::report(&report), io)
        }
        Command::Where { url, from: Some(from), .. } => {
            let (found, value) = directions::find(&session.api, url, *from).await?;
            session.print(&value, &show::directions(&found), io)
        }
        Command::Where { url, node, from: None } => {
            let found = whereabouts::find(&session.api, url, node.as_deref()).await?;
            session.print(&found.value(), &show::whereabouts(&found, node.is_some()), io)
        }
        Command::Forget { node } => session.forget(node, io).await,
    }
}

struct Session<'a> {
    api: Api,
    options: &'a Options,
}

impl Session<'_> {
    async fn purge(&self, purge: &Purge, io: &mut Io<'_>) -> Result<(), Failure> {
        let (target, how) = match purge {
            Purge::Url { urls, how } => (json!({ "urls": urls }), how),
            Purge::Tag { tags, how } => (json!({ "tags": tags }), how),
            Purge::Prefix { prefix, how } => (json!({ "prefix": prefix }), how),
            Purge::All { yes, how } => {
                if !yes && !how.dry_run {
                    self.confirm(io)?;
                }
                (json!({ "all": true }), how)
            }
        };
        let patience = self.patience(*how, COUNT);
        let started = Instant::now();
        let answer = self.order(Method::POST, "/purge", Some(with(target, *how)), patience).await?;
        self.finish(answer, patience, started, io).await
    }

    async fn ban(&self, ban: &BanAdd, io: &mut Io<'_>) -> Result<(), Failure> {
        let mut body = json!({ "ttl": ban.ttl });
        let paths = [
            ("glob", &ban.path_glob),
            ("prefix", &ban.path_prefix),
            ("exact", &ban.path_exact),
            ("regex", &ban.path_regex),
        ];
        for (kind, text) in paths {
            if let Some(text) = text {
                body["path"] = json!({ kind: text });
            }
        }
        if let Some(host) = &ban.host {
            body["host"] = json!(host);
        }
        let mut headers = Vec::new();
        for (kind, texts) in [("glob", &ban.headers), ("regex", &ban.header_regexes)] {
            for text in texts {
                headers.push(header(kind, text)?);
            }
        }
        if !headers.is_empty() {
            body["headers"] = Value::Array(headers);
        }
        // A ban matches when somebody asks: there is nothing to wait for but a trial's count.
        let patience = self.patience(ban.how, Duration::ZERO);
        let started = Instant::now();
        let answer = self.order(Method::POST, "/ban", Some(with(body, ban.how)), patience).await?;
        let (BanAdded { id, report }, mut value) = answer;
        if self.options.form() == Output::Text {
            writeln!(io.out, "ban {id}")?;
            io.out.flush()?;
        }
        let settled = self.settle((report, value["report"].take()), patience, started, io).await?;
        value["report"] = settled.1;
        self.conclude((settled.0, value), patience, io)
    }

    async fn lift(&self, id: &str, no_wait: bool, io: &mut Io<'_>) -> Result<(), Failure> {
        let how = How { no_wait, ..How::default() };
        let patience = self.patience(how, Duration::ZERO);
        let started = Instant::now();
        let ask = Ask {
            method: Method::DELETE,
            path: &format!("/ban/{}", segment(id)),
            body: None,
            wait: Some(wait::first_wait(patience)),
            not_found: format!("there is no ban `{id}`; see `blue-origin ban list`"),
        };
        let answer = self.api.ask(ask).await?;
        self.finish(answer, patience, started, io).await
    }

    async fn forget(&self, node: &str, io: &mut Io<'_>) -> Result<(), Failure> {
        let ask = Ask {
            method: Method::DELETE,
            path: &format!("/log/nodes/{}", segment(node)),
            body: None,
            wait: None,
            not_found: format!("there is no node `{node}`; see `blue-origin status`"),
        };
        let (_, value): (Value, Value) = self.api.ask(ask).await?;
        self.print(&value, &format!("{node} is given up: orders no longer wait for it\n"), io)
    }

    /// Gets something and shows it.
    async fn show<T: DeserializeOwned>(
        &self,
        path: &str,
        text: fn(&T) -> String,
        io: &mut Io<'_>,
    ) -> Result<(), Failure> {
        let not_found = format!("the API has no {path}: it is not that of a node, or an older one");
        let ask = Ask { method: Method::GET, path, body: None, wait: None, not_found };
        let (typed, value) = self.api.ask(ask).await?;
        self.print(&value, &text(&typed), io)
    }

    async fn order<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        patience: Option<Patience>,
    ) -> Result<(T, Value), Failure> {
        let wait = Some(wait::first_wait(patience));
        let not_found = format!("the API has no {path}: it is not that of a node, or an older one");
        Ok(self.api.ask(Ask { method, path, body, wait, not_found }).await?)
    }

    /// Waits, unless told not to, and says what came of it.
    async fn finish(
        &self,
        answer: (PurgeReport, Value),
        patience: Option<Patience>,
        started: Instant,
        io: &mut Io<'_>,
    ) -> Result<(), Failure> {
        let settled = self.settle(answer, patience, started, io).await?;
        self.conclude(settled, patience, io)
    }

    async fn settle(
        &self,
        answer: (PurgeReport, Value),
        patience: Option<Patience>,
        started: Instant,
        io: &mut Io<'_>,
    ) -> Result<(PurgeReport, Value), Failure> {
        let Some(patience) = patience else {
            return Ok(answer);
        };
        let mut progress = Progress::new(io.can_rewrite);
        wait::until_settled(&self.api, answer, patience, started, &mut progress, io.err).await
    }

    fn conclude(
        &self,
        settled: (PurgeReport, Value),
        patience: Option<Patience>,
        io: &mut Io<'_>,
    ) -> Result<(), Failure> {
        let (report, value) = settled;
        self.print(&value, &show::line(&report), io)?;
        patience.map_or(Ok(()), |patience| wait::verdict(report, patience.total))
    }

    fn patience(&self, how: How, count: Duration) -> Option<Patience> {
        let total = self.options.timeout;
        let count = if how.dry_run { total } else { count };
        (!how.no_wait).then_some(Patience { total, count })
    }

    fn confirm(&self, io: &mut Io<'_>) -> Result<(), Failure> {
        if !io.can_ask {
            let reason = "this purges everything on every node; say --yes if that is meant";
            return Err(Failure::Usage(reason.to_owned()));
        }
        write!(io.err, "Purge everything on every node behind {}? [y/N] ", self.options.api)?;
        io.err.flush()?;
        let mut answer = String::new();
        io.input.read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Declined),
        }
    }

    fn print(&self, value: &Value, text: &str, io: &mut Io<'_>) -> Result<(), Failure> {
        match self.options.form() {
            Output::Text => io.out.write_all(text.as_bytes())?,
            Output::Json => writeln!(io.out, "{value:#}")?,
        }
        Ok(())
    }
}

/// The token: of the file, or else of the environment.
fn token(options: &Options, io: &Io<'_>) -> Result<Option<String>, Failure> {
    let Some(file) = &options.token_file else {
        return Ok(io.token.clone());
    };
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::Usage(format!("--token-file: cannot read {}: {error}", file.display()))
    })?;
    if text.trim().is_empty() {
        let file = file.display();
        return Err(Failure::Usage(format!(
            "--token-file: {file} is empty; write the token into it, or use {TOKEN_VARIABLE}"
        )));
    }
    Ok(Some(text))
}

fn with(mut body: Value, how: How) -> Value {
    if how.soft {
        body["soft"] = json!(true);
    }
    if how.dry_run {
        body["dryRun"] = json!(true);
    }
    body
}

/// `name` or `name: pattern`.
fn header(kind: &str, text: &str) -> Result<Value, Failure> {
    let (name, pattern) = match text.split_once(':') {
        Some((name, pattern)) => (name.trim(), Some(pattern.trim())),
        None => (text.trim(), None),
    };
    let mut header = Map::from_iter([("name".to_owned(), json!(name))]);
    match pattern {
        Some("") => {
            return Err(Failure::Usage(format!(
                "`{text}`: nothing after the colon; leave the colon out to ask for the header alone"
            )));
        }
        Some(pattern) => {
            header.insert("value".to_owned(), json!({ kind: pattern }));
        }
        None if kind == "regex" => {
            return Err(Failure::Usage(format!("--header-regex: write `{text}: REGEX`")));
        }
        None => {}
    }
    Ok(Value::Object(header))
}
