"""Commands around the program: the supervisor of `make run`, embedded servers, backups."""
