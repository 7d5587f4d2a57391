"""Laws, versions, articles, comparison."""
