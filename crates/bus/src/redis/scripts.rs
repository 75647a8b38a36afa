//! What Redis does in one step.
//!
//! Every key begins with the same hash tag, so that in a cluster all of them are in one slot. Times are the
//! server's.

use redis::Script;
use wire::Seq;

/// The names of keys and channels.
#[derive(Debug)]
pub(super) struct Keys {
    /// The stream.
    pub(super) log: String,
    /// The log's name.
    pub(super) epoch: String,
    /// The bans in force, in the order in which they end: until when, in milliseconds.
    pub(super) bans: String,
    /// Node → `milliseconds:heartbeat`.
    pub(super) nodes: String,
    /// Node that left → when.
    pub(super) left: String,
    /// The head of the keys of acknowledgements.
    pub(super) acks: String,
    /// The channel that tells of entries.
    pub(super) wake: String,
    /// The channel that tells of acknowledgements and members.
    pub(super) changes: String,
    /// Observer → `milliseconds:report`.
    pub(super) observers: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        let name = |rest: &str| format!("{{{prefix}}}:{rest}");
        Self {
            log: name("log"),
            epoch: name("epoch"),
            bans: name("bans-in-force"),
            nodes: name("nodes"),
            left: name("left"),
            acks: name("acks"),
            wake: name("wake"),
            changes: name("changes"),
            observers: name("observers"),
        }
    }

    /// Node → acknowledgement of one entry.
    pub(super) fn acks_of(&self, epoch: &str, seq: Seq) -> String {
        format!("{}:{epoch}:{seq}", self.acks)
    }
}

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) append: Script,
    pub(super) look: Script,
    pub(super) beat: Script,
    pub(super) members: Script,
    pub(super) restore: Script,
    pub(super) leave: Script,
    pub(super) acknowledge: Script,
    pub(super) acks: Script,
    pub(super) observe: Script,
    pub(super) bans: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            append: Script::new(&[LAST, EPOCH, NOW, APPEND].concat()),
            look: Script::new(&[LAST, EPOCH, LOOK].concat()),
            beat: Script::new(&[NOW, BEAT].concat()),
            members: Script::new(&[NOW, MEMBERS].concat()),
            restore: Script::new(&[NOW, RESTORE].concat()),
            leave: Script::new(&[NOW, LEAVE].concat()),
            acknowledge: Script::new(ACKNOWLEDGE),
            acks: Script::new(ACKS),
            observe: Script::new(&[NOW, OBSERVE].concat()),
            bans: Script::new(&[NOW, BANS].concat()),
        }
    }
}

const NOW: &str = r"
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function digits(number) return string.format('%.0f', number) end
";

/// The newest id ever given out in this stream, and how many entries were added to it.
const LAST: &str = r"
local function last(log)
  local id, added = '0-0', 0
  if redis.call('EXISTS', log) == 0 then return id, added end
  local info = redis.call('XINFO', 'STREAM', log)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then id = info[i + 1] end
    if info[i] == 'entries-added' then added = info[i + 1] end
  end
  return id, added
end
";

/// The log's name; whoever comes first gives it one.
const EPOCH: &str = r"
local function epoch(key, fresh)
  local name = redis.call('GET', key)
  if not name then
    name = fresh
    redis.call('SET', key, name)
  end
  return name
end
";

/// KEYS: log, epoch, bans. ARGV: order, fresh epoch, random number, length, age, head of acks, channel; and if it is a
/// ban or lifts one, its id and for how many milliseconds it is in force.
///
/// The second half of an id is random, or a random step further than the one before it in the same
/// millisecond. Else a log that failed over might give out the ids of what it lost again, and neither
/// readers nor senders could tell. (Numbers in scripts are exact up to 2^53.)
const APPEND: &str = r"
local name = epoch(KEYS[2], ARGV[2])
local prev, added = last(KEYS[1])
local time = now()
local ms, n = string.match(prev, '^(%d+)%-(%d+)$')
ms, n = tonumber(ms), tonumber(n) + 1 + tonumber(ARGV[3])
if time > ms then
  ms, n = time, tonumber(ARGV[3])
elseif n > 4503599627370496 then
  ms, n = ms + 1, tonumber(ARGV[3])
end
local id = digits(ms) .. '-' .. digits(n)
local seq = redis.call('XADD', KEYS[1], id, 'prev', prev, 'number', digits(added + 1), 'order', ARGV[1])
local length = redis.call('XLEN', KEYS[1])
for _ = 1, 64 do
  if length <= 1 then break end
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
  local old = tonumber(string.match(oldest, '^%d+')) < time - tonumber(ARGV[5])
  if length <= tonumber(ARGV[4]) and not old then break end
  length = length - 1
  redis.call('XTRIM', KEYS[1], 'MAXLEN', '=', length)
  redis.call('UNLINK', ARGV[6] .. ':' .. name .. ':' .. oldest)
end
if ARGV[8] then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', digits(time))
  if tonumber(ARGV[9]) > 0 then
    redis.call('ZADD', KEYS[3], digits(time + ARGV[9]), ARGV[8])
  else
    redis.call('ZREM', KEYS[3], ARGV[8])
  end
end
redis.call('PUBLISH', ARGV[7], seq)
return {name, seq}
";

/// KEYS: log, epoch. ARGV: after, most, fresh epoch. The entry at `after` itself is the first, if it is there.
const LOOK: &str = r"
local name = epoch(KEYS[2], ARGV[3])
local newest, added = last(KEYS[1])
local entries = {}
if newest ~= ARGV[1] then
  entries = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
end
return {name, newest, entries, added}
";

/// KEYS: nodes, left. ARGV: node, heartbeat, most nodes, channel. 0: there are too many.
const BEAT: &str = r"
local joins = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0
if joins and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], digits(now()) .. ':' .. ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[1])
if joins then redis.call('PUBLISH', ARGV[4], 'joined') end
return 1
";

/// KEYS: nodes, left.
const MEMBERS: &str = r"
return {digits(now()), redis.call('HGETALL', KEYS[1]), redis.call('HKEYS', KEYS[2])}
";

/// KEYS: nodes, left. ARGV: node, milliseconds silent, heartbeat, and so on.
const RESTORE: &str = r"
local time = now()
for i = 1, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
    redis.call('HSETNX', KEYS[1], ARGV[i], digits(time - tonumber(ARGV[i + 1])) .. ':' .. ARGV[i + 2])
  end
end
return 1
";

/// KEYS: nodes, left. ARGV: node, channel. Who left is remembered for a day: others may still know it.
const LEAVE: &str = r"
local time = now()
local gone = redis.call('HGETALL', KEYS[2])
for i = 1, #gone, 2 do
  if tonumber(gone[i + 1]) < time - 86400000 then redis.call('HDEL', KEYS[2], gone[i]) end
end
local was = redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], digits(time))
redis.call('PUBLISH', ARGV[2], 'left')
return was
";

/// KEYS: log, epoch, then a key for each. ARGV: epoch, age, channel, then seq, node, acknowledgement for
/// each. What is no longer in the log gets none.
const ACKNOWLEDGE: &str = r"
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local noted = 0
for i = 3, #KEYS do
  local at = (i - 3) * 3 + 4
  if #redis.call('XRANGE', KEYS[1], ARGV[at], ARGV[at], 'COUNT', 1) == 1 then
    redis.call('HSET', KEYS[i], ARGV[at + 1], ARGV[at + 2])
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    noted = noted + 1
  end
end
if noted > 0 then redis.call('PUBLISH', ARGV[3], 'acks') end
return noted
";

/// KEYS: log, epoch, then a key for each. ARGV: epoch and seq for each.
const ACKS: &str = r"
local name = redis.call('GET', KEYS[2])
local all = {}
for i = 3, #KEYS do
  local at = (i - 3) * 2 + 1
  local present = 0
  if name == ARGV[at] then
    present = #redis.call('XRANGE', KEYS[1], ARGV[at + 1], ARGV[at + 1], 'COUNT', 1)
  end
  all[i - 2] = {present, redis.call('HVALS', KEYS[i])}
end
return all
";

/// KEYS: bans.
const BANS: &str = r"
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. digits(now()), '+inf')
";

/// KEYS: observers. ARGV: observer, report, milliseconds until it is forgotten, most observers. Takes the report and
/// gives all that there were before; nothing: there are too many. What is older than that, or of a future that a clock
/// jumped back from, goes.
const OBSERVE: &str = r"
local time, all, found, others = now(), redis.call('HGETALL', KEYS[1]), {}, 0
local keep = tonumber(ARGV[3])
for i = 1, #all, 2 do
  local stamp = tonumber(string.match(all[i + 1], '^(%d+):'))
  if not stamp or math.abs(time - stamp) > keep then
    redis.call('HDEL', KEYS[1], all[i])
  else
    found[#found + 1] = all[i]
    found[#found + 1] = all[i + 1]
    if all[i] ~= ARGV[1] then others = others + 1 end
  end
end
if others >= tonumber(ARGV[4]) then return {} end
redis.call('HSET', KEYS[1], ARGV[1], digits(time) .. ':' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], keep)
return {digits(time), found}
";
