"""The province: one more instance of the program, on a database that the cells feed by logical replication."""
