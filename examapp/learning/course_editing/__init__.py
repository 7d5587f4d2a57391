"""Course editing."""
