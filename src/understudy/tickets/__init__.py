"""Hand-offs as tickets of a system of record: ordered with the hand-off on disk, opened once, by key."""
