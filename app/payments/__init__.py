"""Payments at a platform: orders of ours and the notifications about them."""
