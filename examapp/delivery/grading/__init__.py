"""Answers to points, the sweeper."""
