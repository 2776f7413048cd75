"""Telemetry in, priced rows out."""
