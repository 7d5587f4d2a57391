"""Password reset."""
