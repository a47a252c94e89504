//! `redis.keys`: what kinds of key there are, from a bounded sample; never `KEYS`.

use crate::{
    domain::diagnosis::{ArgType, ProbeSpec, TargetKind, Unit},
    probes::spec::{arg, bytes, count, flag, float, text, texts},
};

/// What the probe says of itself.
pub static SPEC: ProbeSpec = ProbeSpec {
    name: "redis.keys",
    summary: "the kinds of key in the configured database, from a bounded sample by SCAN",
    targets: &[TargetKind::Redis],
    args: &[arg("sample", ArgType::Int, "200", (1, 5_000), "how many keys are looked at, at most")],
    facts: &[
        count("keys", "keys in the database"),
        count("sampled", "keys looked at"),
        flag("complete", "these were all"),
        count("without_expiry", "sampled keys that never expire"),
        float("without_expiry_percent", Unit::Percent, "the same in percent; none without keys").optional(),
        flag("sizes_known", "the server told the keys' memory (MEMORY USAGE)"),
        bytes("sampled_bytes", "memory of the sampled keys").optional(),
        bytes("average_bytes", "memory of one on average").optional(),
        bytes("estimated_bytes", "memory of all keys, from that average").optional(),
        text("biggest_key", "the sampled key that takes most memory").optional(),
        bytes("biggest_bytes", "that memory").optional(),
        text("biggest_type", "its type").optional(),
        text("top_prefix", "the kind of key that takes most memory (or is most frequent where memory is not told), changing parts as *").optional(),
        float("top_prefix_percent", Unit::Percent, "its part of the sample").optional(),
        texts("prefixes", "the greatest kinds of key, one line each"),
        texts("types", "types in the sample with their counts"),
    ],
    per_key: None,
};
