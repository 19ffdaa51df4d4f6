"""What a mini program sends: subscription messages, customer-service messages, and the templates it has."""

from __future__ import annotations

from typing import Any

import pytest

from channels.base import (
    Article,
    ChannelError,
    MiniPage,
    Notification,
    NotificationKind,
    Outcome,
    PlatformTemplate,
    Reply,
    SendResult,
    TemplateField,
)
from tests.channels import platform_wechat as official
from tests.channels import platform_wechat_mini as mini
from tests.channels.builders import an_adapter
from tests.channels.server import a_platform

TEMPLATES = "/wxaapi/newtmpl/gettemplate"


def a_notice(**changes: Any) -> Notification:
    given = {"template_key": "T1", "data": {"thing1": "户口迁移"}, "page": "https://hall.example.cn/c/1"}
    return Notification(**{**given, "kind": NotificationKind.SUBSCRIBE, **changes})


def sent(notification: Notification, answers: dict[str, Any] | None = None) -> tuple[SendResult, list[Any]]:
    api = mini.Api(answers)
    with a_platform(api) as server, an_adapter(mini, server.base_url) as adapter:
        return adapter.send_notification(mini.RECIPIENT, notification), api.sent


def rendered(notification: Notification, **config: str) -> Any:
    with an_adapter(mini, **config) as adapter:
        return adapter.render_notification(mini.RECIPIENT, notification)


def test_a_subscription_message_names_page_version_and_language() -> None:
    body = rendered(a_notice(page="pages/case/case?id=1"), state="trial")

    assert body == {
        "touser": mini.RECIPIENT,
        "template_id": "T1",
        "page": "pages/case/case?id=1",
        "miniprogram_state": "trial",
        "lang": "zh_CN",
        "data": {"thing1": {"value": "户口迁移"}},
    }


def test_a_web_page_opens_in_the_mini_program_and_its_own_page_first() -> None:
    web = rendered(a_notice())
    own = rendered(a_notice(mini_page=MiniPage(mini.APP_ID, "pages/case/case?id=1")))
    without = rendered(a_notice(page=""))

    assert web["page"] == "pages/web/web?url=https%3A%2F%2Fhall.example.cn%2Fc%2F1"
    assert own["page"] == "pages/case/case?id=1"
    assert "page" not in without


def test_a_sent_message_has_the_id_its_result_will_name() -> None:
    result, bodies = sent(a_notice())

    assert result == SendResult(Outcome.ACCEPTED, platform_id="1864323726461255680")
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("errcode", "outcome"),
    [
        pytest.param(43101, Outcome.NEEDS_CONSENT, id="the resident did not allow it"),
        pytest.param(47003, Outcome.BAD_TEMPLATE, id="a value does not fit"),
        pytest.param(41030, Outcome.BAD_TEMPLATE, id="no such page"),
        pytest.param(40037, Outcome.BAD_TEMPLATE, id="no such template"),
        pytest.param(40003, Outcome.NOT_FOLLOWING, id="no such resident"),
        pytest.param(45009, Outcome.QUOTA, id="quota"),
        pytest.param(-1, Outcome.RETRYABLE, id="busy"),
    ],
)
def test_a_refused_message_says_what_to_do(errcode: int, outcome: Outcome) -> None:
    result, _ = sent(a_notice(), {"message/subscribe/send": {"errcode": errcode, "errmsg": "no"}})

    assert result == SendResult(outcome, code=str(errcode))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"data": {"amount1": "三元"}}, id="no amount"),
        pytest.param({"data": {"phone_number1": "打电话"}}, id="no phone number"),
        pytest.param({"data": {"thing1": "  "}}, id="empty"),
        pytest.param({"page": "ftp://a.cn/"}, id="no page"),
    ],
)
def test_what_the_platform_would_refuse_is_not_sent(changes: dict[str, Any]) -> None:
    result, bodies = sent(a_notice(**changes))

    assert result.outcome is Outcome.BAD_TEMPLATE
    assert bodies == []


def test_the_old_template_messages_are_not_to_be_had() -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as refused:
        adapter.send_notification(mini.RECIPIENT, a_notice(kind=NotificationKind.TEMPLATE))

    assert refused.value.code == "unsupported"


def card(article: Article) -> Any:
    with an_adapter(mini) as adapter:
        return adapter.render(mini.RECIPIENT, Reply(articles=(article, article)))


def test_a_card_leads_to_a_web_page_or_to_a_page_of_the_mini_program() -> None:
    web = card(Article("公积金", "查询", "https://a.cn/", "https://a.cn/p.png"))
    own = card(Article("进度", url="pages/case/case?id=1", picture="media-1"))

    link = {
        "title": "公积金",
        "description": "查询",
        "url": "https://a.cn/",
        "thumb_url": "https://a.cn/p.png",
    }
    page = {"title": "进度", "pagepath": "pages/case/case?id=1", "thumb_media_id": "media-1"}
    assert (web["msgtype"], web["link"]) == ("link", link)
    assert (own["msgtype"], own["miniprogrampage"]) == ("miniprogrampage", page)


def test_a_card_that_leads_nowhere_is_not_sent() -> None:
    with an_adapter(mini) as adapter:
        result = adapter.send(mini.RECIPIENT, Reply(articles=(Article("公积金", url="javascript:1"),)))

    assert (result.outcome, result.code) == (Outcome.BAD_TEMPLATE, "bad_page")


def test_handing_over_is_only_an_answer_and_no_message() -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as refused:
        adapter.send(mini.RECIPIENT, Reply(handover=True))

    assert refused.value.code == "unsupported"


def listed(answer: dict[str, Any]) -> tuple[PlatformTemplate, ...]:
    with a_platform(mini.Api({TEMPLATES: answer})) as server, an_adapter(mini, server.base_url) as adapter:
        return adapter.list_templates()


def test_templates_tell_their_values_choices_and_how_long_a_consent_holds() -> None:
    choices = [{"keywordCode": "enum_string1.DATA", "enumValueList": ["通过", "未通过"]}]
    first = {"priTmplId": "S1", "title": "审批结果", "content": "结果:{{enum_string1.DATA}}\n", "type": 3}
    second = {"priTmplId": "S2", "title": "取件", "content": "时间：{{time2.DATA}}", "type": 2}

    found = listed({"errcode": 0, "data": [{**first, "keywordEnumValueList": choices}, second]})

    kind = NotificationKind.SUBSCRIBE
    result = TemplateField("enum_string1", "结果", ("通过", "未通过"))
    assert found[0] == PlatformTemplate("S1", "审批结果", (result,), kind, long_term=True)
    assert found[1] == PlatformTemplate(
        "S2", "取件", (TemplateField("time2", "时间"),), kind, long_term=False
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": 0},
        {"errcode": 0, "data": {}},
        {"errcode": 0, "data": [7]},
        {"errcode": 0, "data": [{"priTmplId": "", "title": "t", "content": "c"}]},
    ],
)
def test_an_answer_without_templates_is_garbage(answer: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as refused:
        listed(answer)

    assert refused.value.code == "garbage"


def test_an_official_account_lists_both_kinds_and_a_subscription_account_one() -> None:
    def kinds(**config: str) -> list[NotificationKind]:
        with a_platform(official.api()) as server, an_adapter(official, server.base_url, **config) as adapter:
            return [template.kind for template in adapter.list_templates()]

    assert kinds() == [NotificationKind.TEMPLATE, NotificationKind.SUBSCRIBE]
    assert kinds(account_type="subscription") == [NotificationKind.SUBSCRIBE]
