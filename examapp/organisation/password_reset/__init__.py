"""A forgotten password, by a code through the message gateway."""
