"""The page of pending approvals."""
