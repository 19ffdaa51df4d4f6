"""WSGI entry point: ``gunicorn -c config/gunicorn.py wsgi:application``."""

from app import create_app
from config.settings import Settings

application = app = create_app(Settings.from_env())
