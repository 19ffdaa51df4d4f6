from app.core.capability import Capability
from app.notices import service
from app.notices.api import api
from app.notices.console_pages import console
from app.notices.pages import pages

CAPABILITY = Capability(
    "notices",
    api=(api,),
    pages=(pages, console),
    jobs="app.notices.jobs:JOBS",
    gauges="app.notices.gauges:collect",
    prepare=service.prepare,
    hears={
        "resident.closed": "notices.forget-resident",
        "account.link-proposed": "notices.tell-same-person",
    },
    held="app.notices.own_data:held",
    mine=(("我的消息", "notices_pages.messages"), ("通知设置", "notices_pages.settings")),
)
