"""Static deltas of a repository: kept, listed, made and applied (static deltas §6 to §8)."""
