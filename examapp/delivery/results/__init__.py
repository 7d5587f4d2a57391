"""Results, mistakes, what is released when."""
