from app.core.capability import Capability
from app.demo.cli import group

CAPABILITY = Capability("demo", commands=(group,))
