"""certificate: the host's certificate is trusted, names the host and does not run out soon."""

from __future__ import annotations

from datetime import datetime

from mobile_pages.artifact import Artifact, Tls
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.hosts import split

_LEAST_DAYS = 30
_URGENT_DAYS = 7
_WHERE = "HTTPS 证书"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    tls = artifact.static.entry.tls
    if tls is None:
        return _without(artifact)
    days = (_time(tls.not_after) - _time(artifact.collected_at)).days
    measured = f"剩余 {days} 天，{tls.version}"
    grave = (*_untrusted(tls), *_running_out(days))
    mild = _old_versions(tls)
    if grave:
        return Outcome(Verdict.FAIL, (*grave, *mild), measured=measured)
    if mild:
        return Outcome(Verdict.FAIL, mild, measured=measured, severity=Severity.SHOULD)
    untried = "没有试 TLS 1.0/1.1" if tls.old_versions is None else ""
    return Outcome(Verdict.PASS, measured=measured, reason=untried)


def _without(artifact: Artifact) -> Outcome:
    if split(artifact.declaration.url).scheme.lower() != "https":
        return Outcome(Verdict.NOT_APPLICABLE, reason="入口不是 HTTPS，没有证书（见 MAS-TRN-01）")
    return Outcome(Verdict.NOT_RUN, reason="没有连上服务器，读不到证书")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _untrusted(tls: Tls) -> tuple[Finding, ...]:
    findings = []
    if not tls.trusted:
        findings.append(
            Finding(
                _WHERE,
                "换用受信任机构签发的证书，并把中间证书一起装到服务器上；自签名证书手机会拦截。",
                snippet=f"{tls.subject}，签发者 {tls.issuer}",
                measured=tls.problem or "证书链不可信",
            )
        )
    if not tls.host_matches:
        findings.append(
            Finding(
                _WHERE,
                "证书上的域名与登记的域名不符，请为登记的域名重新申请证书。",
                snippet=tls.subject,
                measured=tls.problem or "主机名不符",
            )
        )
    return tuple(findings)


def _running_out(days: int) -> tuple[Finding, ...]:
    if days >= _LEAST_DAYS:
        return ()
    if days < 0:
        measured = f"已过期 {-days} 天"
    else:
        measured = f"剩余 {days} 天" + ("，紧急" if days <= _URGENT_DAYS else "")
    return (Finding(_WHERE, "证书有效期应还有 30 天以上，请尽快续签，最好开启自动续签。", measured=measured),)


def _old_versions(tls: Tls) -> tuple[Finding, ...]:
    if not tls.old_versions:
        return ()
    return (
        Finding(
            "HTTPS 协议版本",
            "在服务器配置里关闭 TLS 1.0 和 1.1，只留 TLS 1.2 和 1.3。",
            measured="、".join(tls.old_versions),
        ),
    )


RULE = Rule(
    id="certificate",
    code="MAS-TRN-02",
    needs=Need.ATTEMPT,
    judge=judge,
    fix="# nginx\nssl_protocols TLSv1.2 TLSv1.3;\nssl_certificate /etc/nginx/fullchain.pem;  # 含中间证书",
)
