"""演示: fills an empty hall with sandbox accounts and sample pages. Does nothing in production."""
