"""Notices to residents: templates, delivery, fallback, opt-out."""
