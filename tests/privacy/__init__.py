"""What is held about people: the register, one's own data, terms."""
