"""Composes ingest, store and query into one process."""
