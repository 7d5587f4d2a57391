"""The roster of an exam, frozen."""
