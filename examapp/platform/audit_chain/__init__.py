"""The keyed chain over the audit log: sealing, verifying, its head file."""
