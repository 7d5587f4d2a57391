"""What units and the office do with lists and records, one function an act."""
