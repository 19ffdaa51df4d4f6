"""Third-party applications: keys, scopes, quota, consent, signed requests and webhooks."""
