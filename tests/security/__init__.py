"""Static checks, the list of components and known vulnerabilities: `make security`."""
