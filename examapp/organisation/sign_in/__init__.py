"""Sign-in by password, ticket and identity provider (OIDC)."""
