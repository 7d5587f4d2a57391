"""Tables of questions (sheets, csv, tables in documents): heads, cells, rows and cases, read alike everywhere."""
