"""Which personal data is held, why and how long; shown to its owner, and let go when its time is over."""
