from app.core.capability import Capability
from app.core.later import LaterGroup

COMMANDS = LaterGroup(
    "demo", "app.demo.cli:group", help="Fill an empty hall for trying it out (not in production)."
)
CAPABILITY = Capability("demo", commands=(COMMANDS,))
