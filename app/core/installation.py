"""What the edges (views, jobs, commands) may ask about the installation they run in."""

from __future__ import annotations

from flask import current_app

from config.settings import Settings


def settings() -> Settings:
    """Return the settings the application was made with."""
    found: Settings = current_app.extensions["hall_settings"]
    return found
