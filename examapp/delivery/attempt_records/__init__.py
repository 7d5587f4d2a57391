"""The paper on record of one attempt, and receipts looked up."""
