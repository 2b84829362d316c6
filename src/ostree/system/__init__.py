"""Linux, without knowledge of ostree: files relative to descriptors, attributes, locks, copies."""
