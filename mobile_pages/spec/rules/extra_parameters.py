"""extra-parameters: parameters that the hall or a platform adds do not break the page."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_LABEL = "extra-360"
_FEWEST_CHARACTERS = 20
# Of the text without the parameters: a page may show a little less, not another page.
_LEAST_SHARE = 0.5
_ADVICE = "网址后面多出不认识的参数时照常打开，不要报错、跳首页或白屏。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    plain = measured(artifact, PLAIN)
    if plain is None:
        return unopened(artifact)
    extra = measured(artifact, _LABEL)
    if extra is None:
        rendering = artifact.rendering(_LABEL)
        if rendering is None or rendering.trouble is None:
            return unopened(artifact, _LABEL)
        return decided(
            [Finding("带多余参数的网址", _ADVICE, measured=rendering.trouble.detail, rendering=_LABEL)]
        )
    before, after = plain.metrics["text"]["length"], extra.metrics["text"]["length"]
    problems = []
    if plain.title != extra.title:
        problems.append(f"标题由“{plain.title}”变成“{extra.title}”")
    if before >= _FEWEST_CHARACTERS and after < max(_FEWEST_CHARACTERS, before * _LEAST_SHARE):
        problems.append(f"文字由 {before} 字变成 {after} 字")
    faults = [Finding("带多余参数的网址", _ADVICE, measured=one, rendering=_LABEL) for one in problems]
    return decided(faults, measured=",".join(problems) or "与原页相同")


RULE = Rule(
    id="extra-parameters",
    code="MAS-ENT-07",
    needs=Need.RENDERED,
    judge=judge,
    fix="const id = new URLSearchParams(location.search).get('id');  // 只取认识的参数，其余不管",
)
