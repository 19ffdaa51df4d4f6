"""Mail over real SMTP: encrypted where it leaves the machine, readable everywhere, honest about failure."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from app.alerts import mail
from app.alerts.domain import Severity
from app.alerts.mail import Mail
from app.alerts.sent import NotSent
from app.alerts.wording import Item, content_of
from tests.app.alerts.receivers import a_mail_server
from tests.mobile_pages.probe.sites import Authority, closed_port

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FROM = "alerts@hall.example.cn"


def an_item(**changed):
    given = {
        "topic": "incident.opened",
        "severity": Severity.CRITICAL,
        "title": "户口办理无法访问",
        "text": "服务器拒绝连接 <b>",
        "link": "/wall/page/1",
        "at": AT,
        "body_id": 7,
        "city_code": None,
    }
    return Item(**{**given, **changed})


def a_mail(*items, title="【紧急】户口办理无法访问", to="zhang@city.example.cn"):
    content = content_of(items or (an_item(),), {7: "省公安厅"})
    url = "https://hall.example.cn/alerts/messages/1"
    return Mail(to, "alert-1", title, Severity.CRITICAL, content, url, "https://hall.example.cn", AT)


def send(one, port, scheme="smtp+plain", user="", timeout=5.0):
    return mail.send(one, smtp_url=f"{scheme}://{user}127.0.0.1:{port}", mail_from=FROM, timeout=timeout)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca_file))
    return made


def test_a_mail_arrives_with_chinese_headers_a_plain_and_an_html_part():
    with a_mail_server() as box:
        sent = send(a_mail(), box.port)

    (got,) = box.mails
    plain, page = (got.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert (got["Subject"], got["To"], box.senders) == (
        "【紧急】户口办理无法访问",
        "zhang@city.example.cn",
        [FROM],
    )
    assert "服务器拒绝连接 <b>" in plain
    assert "服务器拒绝连接 &lt;b&gt;" in page
    assert "https://hall.example.cn/wall/page/1" in page
    assert got["Message-ID"] == f"<{sent.platform_id}@hall.example.cn>"


def test_the_way_to_a_server_elsewhere_is_encrypted_and_signed_in(authority):
    with a_mail_server(tls_context=authority.server(), require_starttls=True, password=True) as box:
        send(a_mail(), box.port, "smtp", "hall:p%40ss@")

    assert box.encrypted == [True]


def test_encryption_from_the_start_works_too(authority):
    with a_mail_server(ssl_context=authority.server()) as box:
        send(a_mail(), box.port, "smtps")

    assert len(box.mails) == 1


def test_a_server_without_encryption_gets_no_mail():
    with a_mail_server() as box, pytest.raises(NotSent, match="smtp_no_tls") as failed:
        send(a_mail(), box.port, "smtp")

    assert (box.mails, failed.value.retryable) == ([], False)


def test_a_certificate_from_nobody_we_trust_is_refused(tmp_path):
    context = Authority(tmp_path).server()
    with a_mail_server(tls_context=context) as box, pytest.raises(NotSent, match="tls_failed"):
        send(a_mail(), box.port, "smtp")

    assert box.mails == []


@pytest.mark.parametrize(
    ("said", "code", "retryable"),
    [
        pytest.param("550 no such user", "smtp_550", False, id="for good"),
        pytest.param("451 come back later", "smtp_451", True, id="for now"),
    ],
)
def test_a_refused_recipient_is_told_apart_from_a_busy_server(said, code, retryable):
    with a_mail_server(refuse=said) as box, pytest.raises(NotSent, match=code) as failed:
        send(a_mail(), box.port)

    assert failed.value.retryable is retryable


def test_a_wrong_password_may_be_mended_and_tried_again(authority):
    with (
        a_mail_server(tls_context=authority.server(), password=True) as box,
        pytest.raises(NotSent, match="smtp_535") as failed,
    ):
        send(a_mail(), box.port, "smtp", "hall:wrong@")

    assert failed.value.retryable


def test_a_server_that_says_nothing_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotSent, match="timeout") as failed:
        send(a_mail(), silent.getsockname()[1], timeout=0.3)

    assert failed.value.retryable


def test_a_server_that_is_away_is_tried_again():
    with pytest.raises(NotSent, match="not_reached") as failed:
        send(a_mail(), closed_port())

    assert failed.value.retryable


def test_no_server_is_no_reason_to_try_again():
    with pytest.raises(NotSent, match="mail_not_configured") as failed:
        mail.send(a_mail(), smtp_url="", mail_from="")

    assert not failed.value.retryable


def test_a_line_break_in_a_title_begins_no_header():
    with a_mail_server() as box:
        send(a_mail(title="坏了\r\nBcc: other@example.cn"), box.port)

    (got,) = box.mails
    assert (got["Subject"], got["Bcc"]) == ("坏了 Bcc: other@example.cn", None)


def test_a_storm_stays_a_short_mail():
    items = [an_item(title=f"网页 {number}", text="很长" * 400) for number in range(1000)]

    made = mail.written(a_mail(*items), FROM)

    assert "另有 990 条" in made.get_body(("plain",)).get_content()
    assert len(made.as_bytes()) < 200_000
