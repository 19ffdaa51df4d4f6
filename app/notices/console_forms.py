"""What staff typed into the form of a template, read without believing any of it."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from app.core.errors import Invalid
from app.core.ids import read_id
from app.notices.domain import (
    FIELDS_MAX,
    VARIABLES_MAX,
    NewTemplate,
    PlatformForm,
    Right,
    Topic,
    Variable,
    VariableType,
    Wording,
    way_of,
)

Form = MultiDict[str, str]
NUMBER_DIGITS = 6


def read_template(form: Form) -> NewTemplate:
    """Return what a new template is to be.

    Raises:
        Invalid: unknown topic, or hours that are no number.
    """
    topic = form.get("topic", "")
    if topic not in set(Topic):
        raise Invalid(fields={"topic": "没有这种通知"})
    return NewTemplate(
        key=form.get("key", "").strip(),
        name=form.get("name", "").strip(),
        topic=Topic(topic),
        urgent="urgent" in form,
        binding="binding" in form,
        valid_hours=number(form.get("valid_hours", ""), "valid_hours"),
    )


def read_wording(form: Form) -> Wording:
    """Return the words of a version.

    Raises:
        Invalid: something is no number, no type, no account, or not ``字段=内容``.
    """
    return Wording(
        title=form.get("title", "").strip(),
        body=form.get("body", "").strip().replace("\r\n", "\n"),
        variables=_variables(form),
        order=_order(form),
        forms=_forms(form),
    )


def number(text: str, field: str, *, digits: int = NUMBER_DIGITS) -> int:
    """Return a whole number.

    Raises:
        Invalid: it is none, or endless.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= digits):
        raise Invalid(fields={field: "要写数字"})
    return int(text)


def _variables(form: Form) -> tuple[Variable, ...]:
    columns = [form.getlist(f"var_{name}") for name in ("name", "type", "chars", "sample")]
    found: list[Variable] = []
    for name, kind, chars, sample in zip(*columns, strict=False):
        if not name.strip() or len(found) > VARIABLES_MAX:
            continue
        if kind not in set(VariableType):
            raise Invalid(fields={"variables": "没有这种变量"})
        found.append(Variable(name.strip(), VariableType(kind), number(chars, "variables"), sample.strip()))
    return tuple(found)


def _order(form: Form) -> tuple[str, ...]:
    ranked = []
    for name, rank in form.items():
        way = name.removeprefix("order:")
        if name != way and rank.strip() and way_of(way):
            ranked.append((number(rank.strip(), "order"), way))
    return tuple(way for _, way in sorted(ranked))


def _forms(form: Form) -> tuple[PlatformForm, ...]:
    found = []
    for name, platform_template in form.items():
        place = name.removeprefix("form:")
        if name == place or not platform_template.strip():
            continue
        account, _, right = place.partition(":")
        account_id = read_id(account)
        if account_id is None or right not in set(Right):
            raise Invalid(fields={"forms": "没有这个渠道账号"})
        fields = _fields(form.get(f"fields:{place}", ""))
        long_term = f"long_term:{place}" in form
        found.append(PlatformForm(account_id, Right(right), platform_template.strip(), fields, long_term))
    return tuple(found)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text.splitlines()[: FIELDS_MAX + 1]:
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip() or not value.strip() or name.strip() in fields:
            raise Invalid(fields={"forms": "字段要一行一个，写成 thing1={事项}"})
        fields[name.strip()] = value.strip()
    return fields


def written_fields(form: PlatformForm | None) -> str:
    """Return a form's fields as they are typed."""
    return "\n".join(f"{name}={text}" for name, text in form.fields.items()) if form else ""
