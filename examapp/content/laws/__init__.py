"""Laws, versions, articles."""
