"""Reports on paper and in files: Excel, CSV and PDF from one `Report`, and customer statements.

Pure: values in, bytes out. Who calls this reads the values first.
"""
