"""Pure rules of the bank: what is stored of a question, and which pictures may come in."""
