"""Fuzzing of everything that reads what outsiders send: `make fuzz`, each target in a process of its own with limits."""
