"""Messages through the gateway."""
