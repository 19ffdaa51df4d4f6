"""The WeChat mini-program adapter (微信小程序).

A mini program answers no message by itself: the callback is acknowledged or handed over to a person, and what
we say is sent as a customer-service message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    MiniCode,
    Notification,
    PageLink,
    PageMedium,
    PageRule,
    PhoneNumber,
    Picture,
    Reply,
    SendResult,
)
from channels.links import with_params
from channels.wechat.account import NOTICES, WeChatAccount
from channels.wechat_mini import links, login, messages, pages, settings
from channels.wechat_mini.login import MiniLogin
from channels.wechat_mini.settings import VERSIONS, WEB_PAGE, State


class WeChatMiniChannel(WeChatAccount):
    """One mini program."""

    kind = "wechat_mini"
    harmless = "/cgi-bin/get_api_domain_ip"
    capabilities = frozenset(
        {
            Capability.SEND,
            Capability.IMAGE_REPLY,
            Capability.HANDOVER,
            Capability.UPLOAD,
            Capability.RECEIPTS,
            Capability.SUBSCRIBE_NOTICE,
            Capability.TEMPLATE_LIST,
            Capability.MINI_LOGIN,
            Capability.PHONE_NUMBER,
            Capability.URL_LINK,
            Capability.MINI_CODE,
        }
    )

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        super().__init__(config, env)
        self._state = State(config.value("state", State.FORMAL))
        self._web_page = config.value("web_page", WEB_PAGE)
        self._login = MiniLogin(env, self.account, self._api_base, self._app_id, config.value("app_secret"))

    def exchange(self, code: str) -> ChannelIdentity:
        return self._login.exchange(code)

    def phone_number(self, code: str) -> PhoneNumber:
        return login.phone_number(self._client, self._app_id, code)

    def custom_message(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        return messages.to_wire(recipient, reply)

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        self.need(NOTICES[notification.kind])
        return messages.notice(recipient, notification, self._web_page, self._state)

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        self.need(NOTICES[notification.kind])
        try:
            body = self.render_notification(recipient, notification)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        return self._sent("message/subscribe/send", body)

    def page_rules(self) -> tuple[PageRule, ...]:
        return pages.RULES

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        if medium is PageMedium.H5:
            return PageLink(medium, with_params(url, params))
        place = links.place_of(url, params, self._web_page)
        if medium is PageMedium.MINI_PATH:
            return PageLink(medium, place.path)
        call = links.call_for(place, medium, VERSIONS[self._state])
        ends = self._env.clock() + links.LASTS
        answer = self._client.answer_of("POST", call.path, call.body)
        return PageLink(medium, links.link_in(answer, call.member), ends)

    def mini_code(self, code: MiniCode) -> Picture:
        call = links.code_call(code, VERSIONS[self._state])
        answer = self._client.answer_of("POST", call.path, call.body, check=links.picture_in)
        return links.picture_in(answer)

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers, self._app_id)


def build(config: AccountConfig, env: ChannelEnv) -> WeChatMiniChannel:
    """Return the adapter of one mini program; settings are already checked."""
    return WeChatMiniChannel(config, env)
