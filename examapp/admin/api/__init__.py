"""The contract in a form that programs read."""
