"""Blueprints, and papers drawn from them."""
