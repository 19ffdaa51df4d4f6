"""Residents: who signs in, through which channels, and for how long."""
