"""Who is eligible; papers made ahead."""
