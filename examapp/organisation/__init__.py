"""Units, people, their accounts and roles, and how they sign in."""
