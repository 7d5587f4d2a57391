"""Make-up exams."""
