"""Themes (一件事): several items applied for as one matter, handled side by side."""
