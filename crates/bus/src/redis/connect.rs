//! Gets a connection to Redis, wherever its place says that it is now.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, FromRedisValue, ProtocolVersion,
    PushInfo, RedisError, RedisResult, ScriptInvocation, TlsMode,
};

use super::place::{Place, Server};

/// How long Redis may take to answer before it counts as away.
pub(super) const ANSWER: Duration = Duration::from_secs(1);

/// Takes what Redis says unasked.
pub(super) type Hear = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// A connection; clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(super) async fn open(place: &Place, hear: Hear) -> RedisResult<Self> {
        match place {
            Place::One(server) => Ok(Self::One(one(server, Some(hear)).await?)),
            Place::Sentinel { sentinels, master } => {
                let server = find(sentinels, master).await?;
                Ok(Self::One(one(&server, Some(hear)).await?))
            }
            Place::Cluster(servers) => Ok(Self::Cluster(cluster(servers, hear).await?)),
        }
    }

    pub(super) async fn call<T: FromRedisValue>(
        &mut self,
        call: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        match self {
            Self::One(connection) => call.invoke_async(connection).await,
            Self::Cluster(connection) => call.invoke_async(connection).await,
        }
    }

    pub(super) async fn subscribe(&mut self, channel: &str) -> RedisResult<()> {
        match self {
            Self::One(connection) => connection.subscribe(channel).await,
            Self::Cluster(connection) => connection.subscribe(channel).await,
        }
    }

    pub(super) async fn unsubscribe(&mut self, channel: &str) -> RedisResult<()> {
        match self {
            Self::One(connection) => connection.unsubscribe(channel).await,
            Self::Cluster(connection) => connection.unsubscribe(channel).await,
        }
    }
}

async fn one(server: &Server, hear: Option<Hear>) -> RedisResult<MultiplexedConnection> {
    let client = match &server.certificates {
        Some(certificates) => Client::build_with_tls(server.info.clone(), certificates.clone())?,
        None => Client::open(server.info.clone())?,
    };
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER))
        .set_response_timeout(Some(ANSWER));
    if let Some(hear) = hear {
        config = config.set_push_sender(sender(hear));
    }
    client.get_multiplexed_async_connection_with_config(&config).await
}

async fn cluster(servers: &[Server], hear: Hear) -> RedisResult<ClusterConnection> {
    let nodes = servers.iter().map(|server| server.info.clone());
    let mut builder = ClusterClient::builder(nodes)
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(ANSWER)
        .response_timeout(ANSWER)
        .retries(2)
        .push_sender(sender(hear));
    if let Some(server) = servers.first() {
        if matches!(server.info.addr(), ConnectionAddr::TcpTls { .. }) {
            builder = builder.tls(TlsMode::Secure);
        }
        if let Some(certificates) = &server.certificates {
            builder = builder.certs(certificates.clone());
        }
    }
    builder.build()?.get_async_connection().await
}

fn sender(hear: Hear) -> impl Fn(PushInfo) -> Result<(), redis::aio::SendError> {
    move |info| {
        hear(info);
        Ok(())
    }
}

/// Asks the sentinels, one after the other, which server is the master.
async fn find(sentinels: &[Server], master: &str) -> RedisResult<Server> {
    let mut last: RedisError =
        (ErrorKind::MasterNameNotFoundBySentinel, "no sentinel answered").into();
    for sentinel in sentinels {
        match ask(sentinel, master).await {
            Ok((host, port)) => return Ok(sentinel.at(host, port)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask(sentinel: &Server, master: &str) -> RedisResult<(String, u16)> {
    let mut query = redis::cmd("SENTINEL");
    query.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    // Sentinels have no databases, and often other credentials than the servers: none.
    let plain = redis::RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    let with_credentials = sentinel.info.redis_settings().clone().set_db(0);
    let mut answer = Err((ErrorKind::Client, "not asked").into());
    for settings in [with_credentials, plain] {
        let info = sentinel.info.clone().set_redis_settings(settings);
        let server = Server { info, certificates: sentinel.certificates.clone() };
        answer = match one(&server, None).await {
            Ok(mut connection) => query.query_async(&mut connection).await,
            Err(error) => Err(error),
        };
        if answer.is_ok() {
            break;
        }
    }
    let known: Option<(String, u16)> = answer?;
    known.ok_or_else(|| {
        (ErrorKind::MasterNameNotFoundBySentinel, "the sentinel knows no such master").into()
    })
}
