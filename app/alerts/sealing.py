"""How personal ids and secrets of alerts are named in the vault. Pure."""

from __future__ import annotations

EMAIL_FIELD = "alert_email"
CODE_FIELD = "alert_binding_code"
OPENID_FIELD = "alert_openid"
URL_FIELD = "alert_endpoint_url"
SECRET_FIELD = "alert_endpoint_secret"


def openid_of(account_id: int, openid: str) -> str:
    """Return what is sealed for a user id: with its account, so that it is found per account."""
    return f"{account_id}|{openid}"


def openid_in(sealed: str) -> str:
    """Return the user id alone."""
    return sealed.partition("|")[2]
