"""Blueprints, and papers frozen from them."""
