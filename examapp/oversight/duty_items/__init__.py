"""Items of a duty list, from a table too."""
