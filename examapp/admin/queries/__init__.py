"""Reads of the frame: the office's inbox, people by name for the log, the state of the machine, what waits on the home pages."""
