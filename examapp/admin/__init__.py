"""The back office's frame: menu, dashboard, settings; no domain rules."""
