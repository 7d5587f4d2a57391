"""Demo exams."""
