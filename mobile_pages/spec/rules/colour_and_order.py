"""colour-and-order: colour is never the only hint, and what is read out comes in a sensible order."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import needs_review


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    return needs_review("要由人看页面、用读屏软件听一遍")


RULE = Rule(
    id="colour-and-order",
    code="MAS-A11-13",
    needs=Need.MANUAL,
    judge=judge,
    fix='<span class="late">⚠ 已超期</span>  <!-- 除了红色，还有图标和文字 -->',
    questions=(
        "把截图变成黑白，必填项、出错提示、办件状态和图表还分得清吗?",
        "链接除了颜色，还有下划线、图标或位置上的区别吗?",
        "打开手机自带的读屏（旁白、TalkBack）从头滑到尾，读出的顺序和看到的顺序一致吗?",
        "弹窗打开后，读屏先读弹窗里的内容，关闭后回到原来的位置吗?",
    ),
)
