"""The yearly assessment, one function an act: design and open, score oneself, review, feed back, appeal, seal, correct, vote."""
