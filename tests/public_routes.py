"""The short list of routes that are open to everyone, on purpose."""

OPEN_TO_ALL = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /static/<path:filename>",
    "GET /view",
    "GET /place",
    "GET /api/openapi.json",
    "GET /api/docs",
    "GET /api/open/openapi.json",
    "GET /api/open/docs",
    # made-up people of the sandbox answer for themselves; the address is the secret
    "GET /sandbox/consent/<token>",
    "POST /sandbox/consent/<token>",
    # residents
    "GET /",
    "GET /go/<id:page_id>",
    "GET /api/v1/published-pages",
    "GET /progress",
    "POST /progress",
    "GET /api/v1/progress",
    # pages of departments: the bridge, and single sign-on, which asks who it is by itself
    "GET /bridge",
    "GET /bridge/<version>/hall-bridge.js",
    "GET /api/v1/bridge/config",
    "GET /sso/<id:page_id>",
    "GET /items",
    "GET /items/<id:item_id>",
    "GET /api/v1/items",
    "GET /api/v1/items/<id:item_id>",
    "GET /api/v1/items/<id:item_id>/relations",
    # residents sign in
    "GET /me/sign-in",
    "GET /sign-in/<key>",
    "GET /sign-in/return",
    # back from a face check; for a mini program into a browser that holds no session
    "GET /me/verify/return",
    "POST /api/v1/sign-in/mini",
    # the notice's own tables
    "GET /api/v1/bodies",
    "GET /api/v1/regions",
    "GET /api/v1/schedule",
    "GET /api/v1/schedule/mobile-access",
    # how many pages work, counts only
    "GET /api/v1/status",
    "GET /status",
    "GET /status/feed.xml",
    "GET /status/badge/<id:page_id>.svg",
    # a big screen carries a secret of its own
    "GET /tv",
    "GET /tv/live",
    "GET /tv/enter/<secret>",
    # platforms: they sign what they send
    "GET /callbacks/<key>",
    "POST /callbacks/<key>",
    "POST /callbacks/<key>/payments",
    # signing in
    "GET /staff/sign-in",
    "POST /staff/sign-in",
    "GET /staff/sign-in/code",
    "POST /staff/sign-in/code",
    "GET /staff/link/<token>",
    "POST /staff/link/<token>",
    "GET /staff/setup/<token>",
    "POST /staff/setup/<token>",
    "POST /staff/setup/<token>/finish",
    "POST /staff/sign-out",
}
