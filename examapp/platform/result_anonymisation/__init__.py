"""Result anonymisation."""
