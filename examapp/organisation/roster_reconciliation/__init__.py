"""A whole roster compared with the stored one."""
