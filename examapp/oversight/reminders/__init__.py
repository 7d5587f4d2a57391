"""Who has not participated; reminders."""
