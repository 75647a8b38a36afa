//! The store's counts, read when Prometheus asks.

use std::sync::Weak;

use cache::{Cache, Stats};
use runtime::metrics::{Collector, Desc, IntCounter, IntGauge, MetricError, MetricFamily};

/// Looks at the store without keeping it alive.
#[derive(Clone)]
pub(super) struct StoreMetrics {
    cache: Weak<Cache>,
    gauges: Vec<Shown<IntGauge>>,
    counters: Vec<Shown<IntCounter>>,
}

/// A metric and where its value stands.
type Shown<M> = (M, fn(&Stats) -> u64);

impl StoreMetrics {
    pub(super) fn new(cache: Weak<Cache>) -> Result<Self, MetricError> {
        type Row = (&'static str, &'static str, fn(&Stats) -> u64);
        let gauges: [Row; 10] = [
            ("cdn_cache_capacity_bytes", "Bound of the store.", |s| s.capacity),
            ("cdn_cache_bytes", "Bytes held: bodies, headers, keys and index.", |s| s.bytes),
            ("cdn_cache_filling_bytes", "Bytes of bodies on their way in.", |s| s.in_flight_bytes),
            ("cdn_cache_objects", "Objects stored.", |s| s.objects),
            ("cdn_cache_hit_for_miss_marks", "URLs marked as uncacheable.", |s| s.marks),
            ("cdn_cache_fills", "Fills under way.", |s| s.flights),
            (
                "cdn_cache_tags",
                "Surrogate keys that stored objects have, and what counts as such.",
                |s| s.tags,
            ),
            ("cdn_cache_tag_index_bytes", "Bytes of surrogate keys, each counted once.", |s| {
                s.tag_bytes
            }),
            ("cdn_cache_order_bytes", "Bytes of bans, prefixes and counts.", |s| s.order_bytes),
            ("cdn_cache_orders", "Orders to invalidate that something is subject to.", |s| {
                s.orders
            }),
        ];
        let counters: [Row; 6] = [
            ("cdn_cache_inserts_total", "Objects stored so far.", |s| s.inserts),
            ("cdn_cache_evictions_total", "Objects evicted to make room.", |s| s.evictions),
            ("cdn_cache_evicted_bytes_total", "Bytes of them.", |s| s.evicted_bytes),
            (
                "cdn_cache_variants_rejected_total",
                "Variants given up because a URL had too many.",
                |s| s.variants_rejected,
            ),
            (
                "cdn_cache_collapsed_total",
                "Requests that waited for another's answer instead of going upstream.",
                |s| s.collapsed,
            ),
            ("cdn_cache_oversized_total", "Bodies that outgrew the store's limit.", |s| {
                s.oversized
            }),
        ];
        Ok(Self {
            cache,
            gauges: gauges
                .into_iter()
                .map(|(name, help, read)| Ok((IntGauge::new(name, help)?, read)))
                .collect::<Result<_, MetricError>>()?,
            counters: counters
                .into_iter()
                .map(|(name, help, read)| Ok((IntCounter::new(name, help)?, read)))
                .collect::<Result<_, MetricError>>()?,
        })
    }
}

impl Collector for StoreMetrics {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = self.gauges.iter().flat_map(|(gauge, _)| gauge.desc());
        gauges.chain(self.counters.iter().flat_map(|(counter, _)| counter.desc())).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if let Some(cache) = self.cache.upgrade() {
            let stats = cache.stats();
            for (gauge, read) in &self.gauges {
                gauge.set(i64::try_from(read(&stats)).unwrap_or(i64::MAX));
            }
            for (counter, read) in &self.counters {
                counter.inc_by(read(&stats).saturating_sub(counter.get()));
            }
        }
        let gauges = self.gauges.iter().flat_map(|(gauge, _)| gauge.collect());
        gauges.chain(self.counters.iter().flat_map(|(counter, _)| counter.collect())).collect()
    }
}
