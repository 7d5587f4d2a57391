"""The shadow site of a rehearsal."""
