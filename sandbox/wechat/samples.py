"""One example of every message and event an official account can get, with the members WeChat gives them.

Source: developers.weixin.qq.com, Receiving_standard_messages, Receiving_event_pushes, custom menu events,
customer-service session events, mass sending, qualification events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PICTURES = {
    "Count": 2,
    "PicList": {"item": [{"PicMd5Sum": "1b5f7c23b5bf75682a53e7b6d163e185"} for _ in "12"]},
}
_SCANNED = {"ScanType": "qrcode", "ScanResult": "https://hall.example.cn/q/7"}
_PLACE = {
    "Location_X": "23.12908",
    "Location_Y": "113.26436",
    "Scale": "15",
    "Label": "广州市越秀区",
    "Poiname": "",
}
_MEDIA = "media-of-the-resident"

# Messages; every one carries a MsgId as well.
MESSAGES: Mapping[str, Mapping[str, Any]] = {
    "image": {"PicUrl": "http://mmbiz.qpic.cn/mmbiz_jpg/1/0", "MediaId": _MEDIA},
    "voice": {"MediaId": _MEDIA, "Format": "amr", "Recognition": ""},
    "video": {"MediaId": _MEDIA, "ThumbMediaId": "thumb"},
    "shortvideo": {"MediaId": _MEDIA, "ThumbMediaId": "thumb"},
    "location": {"Location_X": "23.129080", "Location_Y": "113.264360", "Scale": 20, "Label": "广州市越秀区"},
    "link": {"Title": "办事指南", "Description": "户口迁移", "Url": "https://hall.example.cn/guide"},
}
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "VIEW": {"EventKey": "https://hall.example.cn/", "MenuId": 208396939},
    "view_miniprogram": {"EventKey": "pages/index/index", "MenuId": 208396939},
    "scancode_push": {"EventKey": "SCAN", "ScanCodeInfo": _SCANNED},
    "scancode_waitmsg": {"EventKey": "SCAN", "ScanCodeInfo": _SCANNED},
    "pic_sysphoto": {"EventKey": "PHOTO", "SendPicsInfo": _PICTURES},
    "pic_photo_or_album": {"EventKey": "PHOTO", "SendPicsInfo": _PICTURES},
    "pic_weixin": {"EventKey": "PHOTO", "SendPicsInfo": _PICTURES},
    "location_select": {"EventKey": "PLACE", "SendLocationInfo": _PLACE},
    "LOCATION": {"Latitude": "23.137466", "Longitude": "113.352425", "Precision": "119.385040"},
    "user_enter_tempsession": {"SessionFrom": "sessionFrom"},
    "kf_create_session": {"KfAccount": "desk1@gd_hall"},
    "kf_close_session": {"KfAccount": "desk1@gd_hall", "CloseType": "KF"},
    "kf_switch_session": {"FromKfAccount": "desk1@gd_hall", "ToKfAccount": "desk2@gd_hall"},
    "MASSSENDJOBFINISH": {
        "MsgID": 1000001625,
        "Status": "send success",
        "TotalCount": 100,
        "FilterCount": 80,
        "SentCount": 75,
        "ErrorCount": 5,
        "CopyrightCheckResult": {
            "Count": 1,
            "ResultList": {"item": [{"ArticleIdx": 1, "UserDeclareState": 0, "CanReprint": 1}]},
            "CheckState": 2,
        },
    },
    "PUBLISHJOBFINISH": {
        "PublishEventInfo": {
            "publish_id": 2247503051,
            "publish_status": 0,
            "article_id": "b5O2OUs25HBxRceL7hfReg-U9QGeq9zQjiDvy",
            "article_detail": {
                "count": 1,
                "item": [{"idx": 1, "article_url": "https://mp.weixin.qq.com/s/1"}],
            },
        }
    },
    "user_info_modified": {"OpenID": "o1", "AppID": "wx0", "RevokeInfo": "1"},
    "user_authorization_revoke": {"OpenID": "o1", "AppID": "wx0", "RevokeInfo": "301"},
    "user_authorization_cancellation": {"OpenID": "o1", "AppID": "wx0", "RevokeInfo": "1"},
    "qualification_verify_success": {"ExpiredTime": 1442401156},
    "qualification_verify_fail": {"FailTime": 1442401122, "FailReason": "by time"},
    "naming_verify_success": {"ExpiredTime": 1442401093},
    "naming_verify_fail": {"FailTime": 1442401061, "FailReason": "by time"},
    "annual_renew": {"ExpiredTime": 1442401004},
    "verify_expired": {"ExpiredTime": 1442400900},
    "from_the_future": {"EventKey": "?", "Deep": {"List": [{"a": 1}, {"a": 2}], "item": {"b": "3"}}},
}
NAMES = (*MESSAGES, *EVENTS)


def fields_of(name: str, number: int) -> dict[str, Any]:
    """Return the members after the common ones; ``number`` becomes a message's id."""
    if name in MESSAGES:
        return {"MsgType": name, **MESSAGES[name], "MsgId": number}
    return {"MsgType": "event", "Event": name, **EVENTS[name]}
