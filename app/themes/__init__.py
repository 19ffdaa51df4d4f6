"""Themes (主题、一件事): several items as one matter, asked about once, handled side by side."""
