"""Reports of leaders on the rule of law (述法) and of units on their duties (履职报告): filled in, submitted, read."""
