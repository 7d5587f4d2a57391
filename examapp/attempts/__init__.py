"""THE HOT PATH: start, save an answer, hand in."""
