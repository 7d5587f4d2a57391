"""The library of cases that explain law (以案释法库): written by units, reviewed by the office, used in courses and questions."""
