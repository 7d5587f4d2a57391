"""What is done with personal data: copied for its owner, let go when its time is over; one module each."""
