"""The hot path: save, submit, close."""
