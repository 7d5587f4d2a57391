"""Second readings by people from outside, through a link."""
