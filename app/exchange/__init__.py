"""The exchange with departments' own systems (对接规范): ten messages, in order, each once."""
