"""Alerts: who is told of trouble, when, in which way, and the proof that they were."""
