"""The short list of routes that are open to everyone, on purpose."""

OPEN_TO_ALL = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /static/<path:filename>",
    "GET /api/openapi.json",
    "GET /api/docs",
}
