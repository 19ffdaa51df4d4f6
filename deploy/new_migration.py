"""Draft a migration from the difference between the models and the migrations: REV SLUG."""

import sys
import tempfile
from pathlib import Path

from alembic import command

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from app import capabilities
from app.core import migrate

if len(sys.argv) != 3:
    sys.exit("usage: make migration REV=0007 NAME=slug")
capabilities()  # imports every model
with tempfile.TemporaryDirectory() as folder:
    config = migrate.config(f"sqlite:///{folder}/empty.sqlite")
    command.upgrade(config, "head")
    command.revision(config, sys.argv[2], autogenerate=True, rev_id=sys.argv[1])
