"""Hostile and broken input, by the ids of the list of faults (H01 to H24): a test a row at least, `test_h07_…`; those in Chromium stand in tests/browser.

What a feature's own tests prove already is not written twice: `elsewhere.py` names those tests by id. What is timed in a row is measured
in benchmarks/ and drills.
"""
