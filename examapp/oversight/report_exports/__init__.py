"""Report jobs: request, build, download."""
