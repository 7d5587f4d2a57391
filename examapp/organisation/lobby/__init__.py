"""The lobby before the password: whose turn it is to sign in."""
