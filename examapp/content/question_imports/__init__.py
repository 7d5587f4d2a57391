"""Question imports."""
