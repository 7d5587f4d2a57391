"""What the office does with exams: settings, publication, time, papers, exemptions."""

from examapp.exams.operations.papers import prepare_paper, prepare_papers
from examapp.exams.queries.candidates import extensions_of, find_prepared_paper

__all__ = ["extensions_of", "find_prepared_paper", "prepare_paper", "prepare_papers"]
