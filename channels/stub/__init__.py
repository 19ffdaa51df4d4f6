"""A channel without a platform, for tests and demonstrations."""

from channels.stub.adapter import DESCRIPTION, build

__all__ = ["DESCRIPTION", "build"]
