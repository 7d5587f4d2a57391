"""Answers in practice and what follows from them."""
