"""Course contents."""
