"""Applications that residents make: draft, submission, progress."""
