"""手机版接入: the registry of mobile pages, their checks, review, publication and end."""
