"""Collects what rules judge: over plain HTTP and in a browser."""
