"""What the documentation demands: editions, equivalence classes and the oracle.

This package imports only `exchange`, `loading` and `errors`. Its only I/O is to read the edition files.
"""
