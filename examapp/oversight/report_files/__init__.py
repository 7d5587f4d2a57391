"""Files of reports: xlsx, csv, pdf, docx."""
