"""Role grants: asked for, approved, ended, deputised."""
