"""The items of QTI 1.2, whether from a file or a package."""
