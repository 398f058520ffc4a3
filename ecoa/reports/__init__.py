"""Evidence reports of a site: read once, then written as CSV, XLSX and PDF in bounded memory."""
