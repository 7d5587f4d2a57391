"""Contents and files of chapters."""
