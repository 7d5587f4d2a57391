"""Evidence packs: every grade of an exam with all it is made of, for anyone to check."""
