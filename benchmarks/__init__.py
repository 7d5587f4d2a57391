"""What `make bench` runs: each figure beside the limit it must keep, as a ratio wherever the machine would decide otherwise."""
