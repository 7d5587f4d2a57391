"""The demo county's exams."""
