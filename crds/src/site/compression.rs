//! Compression at delivery.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ByteQuantity, pattern};

/// Compression of responses on their way to clients.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct CompressionSpec {
    /// Whether responses are compressed at all.
    pub enabled: bool,

    /// Media types to compress, such as `application/json`, or `text/*` for all of a kind.
    #[schemars(length(min = 1, max = 64), inner(regex(pattern = pattern::MEDIA_TYPE), length(max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub types: Vec<String>,

    /// Shorter bodies stay as they are.
    pub min_size: ByteQuantity,

    /// Brotli quality, 1 (fast) to 11 (small); 0: Brotli is not offered.
    #[schemars(range(min = 0, max = 11))]
    pub br: i32,

    /// Zstandard level, 1 (fast) to 19 (small); 0: Zstandard is not offered.
    #[schemars(range(min = 0, max = 19))]
    pub zstd: i32,

    /// Gzip level, 1 (fast) to 9 (small); 0: gzip is not offered.
    #[schemars(range(min = 0, max = 9))]
    pub gzip: i32,
}

impl Default for CompressionSpec {
    fn default() -> Self {
        let types = [
            "text/*",
            "application/javascript",
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "application/xml",
            "image/svg+xml",
        ];
        Self {
            enabled: true,
            types: types.map(str::to_owned).to_vec(),
            min_size: ByteQuantity::kib(1),
            br: 5,
            zstd: 3,
            gzip: 6,
        }
    }
}
