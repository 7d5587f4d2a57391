"""The bank: versions, review, import and export through question_bank."""
