"""A department's business system, as small as it can be: signs, reports, pulls, acknowledges, is tested.

It shares no code with the hall and needs Python's own library only. Read it as an example of how to dock:
``docs/exchange.md`` goes through it. Played from the command line:

    python -m sandbox.department --base http://127.0.0.1:8000 --system GZ-JZZ \
        --key-id gdt_... --secret ... test
    ... play        reports a window case from 申办 to 领取登记, one message out of turn and one twice
    ... pull        takes what the hall has to tell, and acknowledges it
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

API = "/api/v1/exchange"
CHINA = timezone(timedelta(hours=8))
OLD_SECONDS = 600
TIMEOUT_SECONDS = 30
TRIES = 3
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hall answered.

    Attributes:
        body: a receipt, or a problem with ``code`` and ``errors``.
        retry_after: seconds to wait where the hall asks for it.
    """

    status: int
    body: Json
    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Department:
    """A department's system with its key.

    Attributes:
        base: address of the hall without a path.
        system: its code in the register.
    """

    base: str
    system: str
    key_id: str
    secret: str

    def report(self, sblsh: str, sptype: int, seq: int, version: int, body: Mapping[str, Any]) -> Answer:
        """Report one message."""
        return self.call("PUT", self.place(sblsh, sptype, seq) + f"?version={version}", body)

    def place(self, sblsh: str, sptype: int, seq: int, system: str = "") -> str:
        """Return the address of a message below that of the exchange."""
        return f"/cases/{system or self.system}/{sblsh}/messages/{sptype}/{seq}"

    def call(self, method: str, path: str, said: Any = None) -> Answer:
        """Sign and send a request; again after a pause when the hall is busy or away."""
        body = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        for attempt in range(1, TRIES + 1):
            answer = self.send(method, path, body, self.signed(method, path, body))
            if answer.status not in (429, 502, 503) or attempt == TRIES:
                break
            time.sleep(answer.retry_after)
        return answer

    def signed(
        self, method: str, path: str, body: bytes, *, created: int | None = None, secret: str = ""
    ) -> dict[str, str]:
        """Return the headers that sign a request.

        Source: RFC 9421 (hmac-sha256), RFC 9530.
        """
        url = urlsplit(self.base + API + path)
        headers = {"Content-Type": "application/json"} if body else {}
        covered = {"@method": method, "@path": url.path, "@query": f"?{url.query}"}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers["Content-Digest"] = covered["content-digest"] = f"sha-256=:{digest}:"
        names = " ".join(f'"{name}"' for name in covered)
        made = int(time.time()) if created is None else created
        params = f'({names});created={made};keyid="{self.key_id}";nonce="{secrets.token_hex(12)}"'
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        text = "\n".join([*lines, f'"@signature-params": {params}'])
        mac = hmac.new((secret or self.secret).encode(), text.encode(), hashlib.sha256).digest()
        headers["Signature-Input"] = f"hall={params}"
        headers["Signature"] = f"hall=:{base64.b64encode(mac).decode()}:"
        return headers

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request as it stands."""
        asked = urllib.request.Request(
            self.base + API + path, data=body or None, headers=dict(headers), method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:
                return Answer(answer.status, _json(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                wait = error.headers.get("Retry-After", "")
                return Answer(error.code, _json(error.read()), int(wait) if wait.isdecimal() else 1)

    def pull(self, *, after: int = 0) -> list[Json]:
        """Take everything from the inbox after a number, and acknowledge it; return it.

        First keep what came, then acknowledge: what is acknowledged never comes again by itself.
        """
        taken: list[Json] = []
        while True:
            answer = self.call("GET", f"/inbox?system={self.system}&after={after}&limit=50")
            items: list[Json] = answer.body.get("items", [])
            if not items:
                return taken
            numbers = [{"number": one["number"]} for one in items]
            self.call("POST", "/inbox/acks", {"system": self.system, "taken": numbers})
            taken += items
            after = answer.body["next_after"]


def run_conformance(department: Department, tell: Callable[[str], None]) -> Json:
    """Begin a conformance run and do what it asks, to its end; return the run as it then stands."""
    answer = department.call("POST", f"/systems/{department.system}/runs")
    if answer.status >= 400:
        raise SystemExit(f"{answer.status} {answer.body.get('title', '')} {answer.body.get('detail', '')}")
    run = answer.body
    while run["state"] == "open":
        task = run["task"]
        _do(department, task)
        after = department.call("GET", f"/systems/{department.system}/runs").body
        good = after["passed"] > run["passed"]
        tell(f"{task['code']} {task['title']}：{'通过' if good else '未通过：' + after['note']}")
        if not good:
            return after
        run = after
    return run


def _do(department: Department, task: Json) -> None:
    match task["how"]:
        case "send" | "again":
            one = task["example"][0]
            department.report(one["sblsh"], one["sptype"], one["seq"], one["version"], one["body"])
        case "batch":
            department.call("POST", f"/cases/{department.system}/messages", {"messages": task["example"]})
        case "read":
            department.call("GET", task["path"])
        case "pull":
            department.call("GET", f"/inbox?system={department.system}&after=0&limit=100")
        case "ack":
            items = department.call("GET", f"/inbox?system={department.system}&limit=100").body["items"]
            taken = [{"number": one["number"]} for one in items]
            department.call("POST", "/inbox/acks", {"system": department.system, "taken": taken})
        case _:
            seen = _faulty(department, task)
            said = {"status": seen.status, "code": seen.body.get("code", "")}
            department.call("POST", f"/systems/{department.system}/runs/reports", said)


def _faulty(department: Department, task: Json) -> Answer:
    """Send the example with the fault that the task asks for."""
    one = task["example"][0]
    path = department.place(one["sblsh"], one["sptype"], one["seq"]) + f"?version={one['version']}"
    body = json.dumps(one["body"], ensure_ascii=False).encode()
    match task["fault"]:
        case "unsigned":
            return department.send("PUT", path, body, {"Content-Type": "application/json"})
        case "wrong_secret":
            return department.send("PUT", path, body, department.signed("PUT", path, body, secret="wrong"))
        case "old":
            created = int(time.time()) - OLD_SECONDS
            return department.send("PUT", path, body, department.signed("PUT", path, body, created=created))
        case "tampered":
            return department.send("PUT", path, body + b" ", department.signed("PUT", path, body))
        case "replayed":
            headers = department.signed("PUT", path, body)
            department.send("PUT", path, body, headers)
            return department.send("PUT", path, body, headers)
        case "oversized":
            return department.report(
                one["sblsh"], one["sptype"], one["seq"], one["version"], {**one["body"], "BZ": "长" * 30_000}
            )
        case "gbk":
            strange = json.dumps(one["body"], ensure_ascii=False).encode("gbk")
            return department.send("PUT", path, strange, department.signed("PUT", path, strange))
    other = department.place(one["sblsh"], one["sptype"], one["seq"], system="NO-SUCH-SYSTEM") + "?version=1"
    return department.send("PUT", other, body, department.signed("PUT", other, body))


def play(department: Department, item: str, region: str, tell: Callable[[str], None]) -> str:
    """Report a made-up window case; return its number. The last but one message comes before its turn."""
    sblsh = f"{department.system}-{datetime.now(CHINA):%Y%m%d}-{secrets.token_hex(3)}"
    began = datetime.now(CHINA) - timedelta(minutes=10)
    common = {"SBLSH": sblsh, "SXBM": item, "XZQHDM": region, "SJBBH": "1"}

    def at(minutes: int) -> str:
        return (began + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")

    messages: list[tuple[int, int, Json]] = [
        (0, 1, {"SXMC": "演示事项", "SQRLX": "1", "SQRMC": "演示申请人", "SQRZJLX": "1",
                "SQRZJHM": "445399199003070019", "SBSJ": at(0)}),
        (2, 2, {"SLBMMC": "演示部门", "BLRXM": "演示经办人", "SLZTDM": "1", "SLSJ": at(2)}),
        (3, 3, {"SPHJDM": "1", "SPHJMC": "承办", "SPBMMC": "演示部门", "SPRXM": "演示经办人",
                "SPYJ": "同意", "SPSJ": at(4)}),
        (9, 5, {"LQRXM": "演示申请人", "LQFS": "1", "LQSJ": at(8)}),
        (4, 4, {"BJBMMC": "演示部门", "BJJGDM": "0", "BJJGMS": "准予", "ZJGZMC": "演示证件",
                "ZJBH": f"YS-{secrets.token_hex(2)}", "BJSJ": at(6)}),
    ]  # fmt: skip
    for sptype, seq, said in [*messages, messages[-1]]:
        answer = department.report(sblsh, sptype, seq, 1, common | said)
        tell(f"{sblsh} 第 {seq} 号报文（{sptype}）：{answer.status} {answer.body.get('state', answer.body)}")
    return sblsh


def _json(content: bytes) -> Json:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"items": found}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Play a department's system from the command line."""
    parser = argparse.ArgumentParser(prog="sandbox.department", description="扮演一个部门业务系统")
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--file", help="演示数据写下的 JSON：system、key_id、secret、item、region")
    parser.add_argument("--system", default="")
    parser.add_argument("--key-id", default="")
    parser.add_argument("--secret", default="")
    parser.add_argument("--item", default="")
    parser.add_argument("--region", default="")
    parser.add_argument("what", choices=["test", "play", "pull"])
    given = vars(parser.parse_args())
    if given["file"]:
        with open(given["file"], encoding="utf-8") as file:
            told = json.load(file)
        known = told["test" if given["what"] == "test" else "live"]
        given |= {name: value for name, value in {**told, **known}.items() if name in given}
    department = Department(given["base"], given["system"], given["key_id"], given["secret"])
    match given["what"]:
        case "test":
            run = run_conformance(department, _say)
            _say(f"{run['passed']}/{run['total']} {run['state']} {run['certificate'] or ''}")
            return 0 if run["state"] == "passed" else 1
        case "play":
            play(department, given["item"], given["region"], _say)
        case _:
            for one in department.pull():
                _say(json.dumps(one, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
