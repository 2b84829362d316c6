"""Static deltas: names, superblocks, parts, operations, indexes (static deltas §2 to §7)."""
