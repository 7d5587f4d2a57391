"""Question files: preview, commit, export."""
