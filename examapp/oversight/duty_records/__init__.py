"""Records of fulfilment and their files."""
