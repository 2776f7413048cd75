"""Questions in, rows out."""
