"""Report schedules."""
