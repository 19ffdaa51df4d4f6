"""Watching registered pages: one look, when to look, what the looks add up to."""
