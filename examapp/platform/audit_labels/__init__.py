"""Labels of audited acts."""
