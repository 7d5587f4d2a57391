"""Demo learning."""
