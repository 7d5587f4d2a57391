"""Files that people bring: checked, stored, resumed, served."""
