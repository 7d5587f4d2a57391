"""What is done to the bank, one function an act."""

from examapp.questions.operations.adding import add_question, add_questions
from examapp.questions.operations.seeding import load_seed_bank

__all__ = ["add_question", "add_questions", "load_seed_bank"]
