"""What learners and the office do in the training room."""
