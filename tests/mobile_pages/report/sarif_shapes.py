"""The objects of SARIF 2.1.0 that a log of ours is made of, as the standard describes them.

Written from the text of the standard (section 3); a property that the standard does not know is refused.
"""

from __future__ import annotations

from typing import Any


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _list_of(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), **more}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    known = {**properties, "properties": _ref("bag")}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": known,
    }


_TEXT = {"type": "string"}
_URI = {"type": "string", "format": "uri-reference"}
_LANGUAGE = {"type": "string", "pattern": "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$"}
_INDEX = {"type": "integer", "minimum": -1}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_TIME = {"type": "string", "format": "date-time", "pattern": "Z$"}
_BAG = {"type": "object", "properties": {"tags": {"type": "array", "items": _TEXT, "uniqueItems": True}}}

SHAPES: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(("version", "runs"), **{"$schema": _TEXT}, version={"const": "2.1.0"}, runs=_list_of("run")),
    "$defs": {
        "bag": _BAG,
        "run": _object(
            ("tool",),
            tool=_object(("driver",), driver=_ref("toolComponent")),
            invocations=_list_of("invocation"),
            artifacts=_list_of("artifact", uniqueItems=True),
            results=_list_of("result"),
            language=_LANGUAGE,
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        ),
        "toolComponent": _object(
            ("name",),
            name=_TEXT,
            fullName=_TEXT,
            language=_LANGUAGE,
            rules=_list_of("reportingDescriptor", uniqueItems=True),
        ),
        "reportingDescriptor": _object(
            ("id",),
            id=_TEXT,
            name=_TEXT,
            shortDescription=_ref("multiformat"),
            fullDescription=_ref("multiformat"),
            help=_ref("multiformat"),
            defaultConfiguration=_object(level=_LEVEL),
        ),
        "multiformat": _object(("text",), text=_TEXT, markdown=_TEXT),
        "message": _object(("text",), text=_TEXT, markdown=_TEXT),
        "invocation": _object(
            ("executionSuccessful",),
            executionSuccessful={"type": "boolean"},
            startTimeUtc=_TIME,
            toolExecutionNotifications=_list_of("notification"),
        ),
        "notification": _object(
            ("message",),
            message=_ref("message"),
            level=_LEVEL,
            descriptor=_object(id=_TEXT),
            locations=_list_of("location", uniqueItems=True),
        ),
        "artifact": _object(
            location=_ref("artifactLocation"),
            roles={"type": "array", "items": {"enum": ["analysisTarget"]}, "uniqueItems": True},
        ),
        "artifactLocation": _object(uri=_URI, index=_INDEX),
        "location": _object(
            physicalLocation=_object(
                artifactLocation=_ref("artifactLocation"),
                region=_object(startLine={"type": "integer", "minimum": 1}, snippet=_object(text=_TEXT)),
            ),
            logicalLocations=_list_of("logicalLocation", uniqueItems=True),
            message=_ref("message"),
        ),
        "logicalLocation": _object(fullyQualifiedName=_TEXT, kind=_TEXT),
        "result": _object(
            ("message",),
            ruleId=_TEXT,
            ruleIndex=_INDEX,
            kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
            level=_LEVEL,
            message=_ref("message"),
            locations=_list_of("location"),
            partialFingerprints={"type": "object", "additionalProperties": _TEXT},
            suppressions=_list_of("suppression", uniqueItems=True),
        )
        # Source: SARIF 2.1.0, 3.27.10: what is no failure has no level.
        | {
            "if": {"properties": {"kind": {"const": "fail"}}},
            "else": {"properties": {"level": {"const": "none"}}},
        },
        "suppression": _object(("kind",), kind={"enum": ["inSource", "external"]}, justification=_TEXT),
    },
}
