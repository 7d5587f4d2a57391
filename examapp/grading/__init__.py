"""Answers to points, results, corrections and regrades, sweeps."""
