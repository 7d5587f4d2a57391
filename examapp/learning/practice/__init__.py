"""Practice, mistake book, mock papers."""
