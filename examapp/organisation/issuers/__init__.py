"""In whose name papers go out (落款)."""
