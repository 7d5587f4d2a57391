"""Audit, notices, privacy, the back office's frame and the demo county."""
