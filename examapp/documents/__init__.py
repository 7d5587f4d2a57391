"""Tables, Word, PDF, pictures and HTML in and out; neither Flask nor SQL."""
