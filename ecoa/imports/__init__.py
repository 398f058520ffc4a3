"""Reading participant files: bytes in, rows out, in bounded memory. No models and no database in here.

`reading.open_table` finds out what a file is (CSV in some encoding, or XLSX) and yields its rows; `shape` says what is
wrong with one row; `problems` has the words. Hostile files are refused with one sentence (`FileRefused`).
"""
