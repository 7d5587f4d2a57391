"""Questions that the office asks units to write (出题任务)."""
