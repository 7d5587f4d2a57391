"""Labels of the details of audited acts."""
