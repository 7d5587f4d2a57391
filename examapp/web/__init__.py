"""What every page and API call shares: errors, JSON, headers, assets, the request limiter."""
