"""Alerts by e-mail: one bounded SMTP conversation a message, encrypted unless it stays on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import jinja2

from app.alerts.domain import SEVERITY_LABELS, Severity
from app.alerts.sent import NotSent, Sent
from app.alerts.wording import item_lines, local_moment, plain_text, topic_label

TIMEOUT_SECONDS = 15.0
MAIL_BYTES = 60_000
_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}

_templates = jinja2.Environment(loader=jinja2.PackageLoader("app.alerts"), autoescape=True)
_templates.filters["moment"] = local_moment
_templates.filters["topic"] = topic_label


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it goes out.

    Attributes:
        message_id: the same at every try, so that a mailbox shows a repeated one once.
        url: where the whole message is; ``base_url``: where the hall is.
    """

    to: str
    message_id: str
    title: str
    severity: Severity
    content: Mapping[str, Any]
    url: str
    base_url: str
    at: datetime


def written(mail: Mail, mail_from: str) -> EmailMessage:
    """Return the mail with its headers, a plain and an HTML part.

    Raises:
        NotSent: the address is none.
    """
    made = EmailMessage(policy=SMTP)
    try:
        user, _, domain = mail.to.rpartition("@")
        made["To"] = Address(username=user, domain=domain)
        sender, _, sender_domain = mail_from.rpartition("@")
        made["From"] = Address("省网上办事大厅运行监测", username=sender, domain=sender_domain)
    except ValueError:
        raise NotSent("bad_address", retryable=False) from None
    # A line break in a title would begin a header of its own.
    made["Subject"] = " ".join(mail.title.split())
    made["Date"] = format_datetime(mail.at)
    made["Message-ID"] = f"<{mail.message_id}@{sender_domain}>"
    made["Auto-Submitted"] = "auto-generated"
    if mail.severity is Severity.CRITICAL:
        made["Importance"] = "high"
    made.set_content(plain_text(mail.title, mail.content, url=mail.url, bytes_max=MAIL_BYTES), cte="base64")
    page = _templates.get_template("alerts/mail.html").render(
        mail=mail, label=SEVERITY_LABELS[mail.severity], lines=item_lines
    )
    made.add_alternative(page, subtype="html", cte="base64")
    return made


def send(mail: Mail, *, smtp_url: str, mail_from: str, timeout: float = TIMEOUT_SECONDS) -> Sent:
    """Hand one mail to the mail server.

    Raises:
        NotSent: no server is set up, or it was not reached, or it did not take the mail.
    """
    if not smtp_url or not mail_from:
        raise NotSent("mail_not_configured", retryable=False)
    message = written(mail, mail_from)
    try:
        with _connected(smtp_url, timeout) as server:
            server.send_message(message, mail_from, [mail.to])
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise NotSent(f"smtp_{code}", retryable=code < 500) from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"smtp_{error.smtp_code}", retryable=True) from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"smtp_{error.smtp_code}", retryable=error.smtp_code < 500) from None
    except smtplib.SMTPNotSupportedError:
        raise NotSent("smtp_no_tls", retryable=False) from None
    except TimeoutError:
        raise NotSent("timeout", retryable=True) from None
    except ssl.SSLError:
        raise NotSent("tls_failed", retryable=True) from None
    except (smtplib.SMTPException, OSError) as error:
        late = isinstance(error.__context__, TimeoutError)  # smtplib wraps one in the middle of a reply
        raise NotSent("timeout" if late else "not_reached", retryable=True) from None
    return Sent(platform_id=mail.message_id)


def _connected(smtp_url: str, timeout: float) -> smtplib.SMTP:
    parts = urlsplit(smtp_url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if parts.scheme == "smtp":
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server
