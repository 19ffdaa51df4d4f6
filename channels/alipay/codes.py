"""What Alipay's error codes mean in the vocabulary of all channels."""

from __future__ import annotations

from channels.base import Outcome

SUCCESS = "10000"
_OUTCOMES = {
    "20000": Outcome.RETRYABLE,
    "20001": Outcome.AUTH,
    "40005": Outcome.QUOTA,
    "40006": Outcome.AUTH,
}
# The first that the code contains decides; codes of one meaning differ in prefix and spelling.
_SUB_OUTCOMES = (
    ("NOT_FOLLOW", Outcome.NOT_FOLLOWING),
    ("INVALID_USER", Outcome.NOT_FOLLOWING),
    ("OUT_OF_SESSION", Outcome.NOT_FOLLOWING),
    ("SUBSCRI", Outcome.NEEDS_CONSENT),
    ("FORM_ID", Outcome.NEEDS_CONSENT),
    ("CALL_LIMIT", Outcome.QUOTA),
    ("OVER_LIMIT", Outcome.QUOTA),
    ("SD_OVER", Outcome.QUOTA),
    ("SYSTEM_ERROR", Outcome.RETRYABLE),
    ("UNKNOW_ERROR", Outcome.RETRYABLE),
    ("TEMPLATE", Outcome.BAD_TEMPLATE),
    ("KEYWORD", Outcome.BAD_TEMPLATE),
    ("SIGNATURE", Outcome.AUTH),
    ("CERT", Outcome.AUTH),
    ("APP_ID", Outcome.AUTH),
    ("PERMISSION", Outcome.AUTH),
    ("AUTH", Outcome.AUTH),
    ("CODE_INVALID", Outcome.AUTH),
)


def classify(code: str) -> Outcome:
    """Return what a code or sub-code of Alipay means in the common vocabulary."""
    if code == SUCCESS:
        return Outcome.ACCEPTED
    if code in _OUTCOMES:
        return _OUTCOMES[code]
    spelled = code.upper().replace("-", "_")
    return next((outcome for part, outcome in _SUB_OUTCOMES if part in spelled), Outcome.UNKNOWN)
