"""门户: what residents see on the phone."""
