"""The demo county: units and people."""
