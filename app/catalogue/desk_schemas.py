"""JSON shapes of the catalogue's desk."""

from __future__ import annotations

from enum import StrEnum

import marshmallow as ma

from app.catalogue.desk_reading import Filter
from app.catalogue.differences import ChangeKind
from app.catalogue.domain import (
    CODE_MAX,
    LIMIT_MAX,
    NAME_MAX,
    REASON_MAX,
    SCHEME_MAX,
    SUMMARY_MAX,
    TEXT_MAX,
    CaseType,
    Delivery,
    Domain,
    Handing,
    ItemType,
    ServedKind,
    VersionEvent,
    VersionState,
)
from app.catalogue.editing import NewDirectory
from app.catalogue.exchange_files import FileForm, What
from app.catalogue.fields import LINES_MAX, NUMBER_MAX, ROWS_MAX
from app.catalogue.importing import Act
from app.catalogue.quality_rules import Severity
from app.catalogue.schemas import ServiceItemContentSchema, ServiceItemLegalBasisSchema
from app.core.fields import Id, Text

AFTER_MAX = 200
QUERY_MAX = 60
VERSION_COUNT_MAX = 2**31 - 1
BASES_MAX = 20


def _enum(codes: type, **kwargs: object) -> ma.fields.Enum:  # type: ignore[type-arg]
    return ma.fields.Enum(codes, by_value=True, **kwargs)  # type: ignore[arg-type]


def _version() -> ma.fields.Int:
    return ma.fields.Int(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, VERSION_COUNT_MAX),
        metadata={"description": "最近一次读到的 version"},
    )


def _count(**kwargs: object) -> ma.fields.Int:
    return ma.fields.Int(strict=True, validate=ma.validate.Range(0, NUMBER_MAX), **kwargs)  # type: ignore[arg-type]


def _line(longest: int = NAME_MAX, **kwargs: object) -> Text:
    return Text(longest=longest, may_be_empty=True, **kwargs)


def _rows(row: ma.Schema, **kwargs: object) -> ma.fields.List:  # type: ignore[type-arg]
    return ma.fields.List(ma.fields.Nested(row), validate=ma.validate.Length(0, ROWS_MAX), **kwargs)  # type: ignore[arg-type]


def _lines(longest: int, **kwargs: object) -> ma.fields.List:  # type: ignore[type-arg]
    return ma.fields.List(Text(longest=longest), validate=ma.validate.Length(0, LINES_MAX), **kwargs)  # type: ignore[arg-type]


def _few(codes: type[StrEnum]) -> ma.validate.Length:
    return ma.validate.Length(0, len(codes))


class CatalogueDeskQuerySchema(ma.Schema):
    q = _line(QUERY_MAX, load_default="", metadata={"description": "名称里的字"})
    after = Text(longest=AFTER_MAX, load_default=None, metadata={"description": "下一页标记 next_after"})
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, LIMIT_MAX))


class CatalogueStandingQuerySchema(CatalogueDeskQuerySchema):
    state = _enum(VersionState, load_default=None, metadata={"description": "最新版本的状态"})
    body_id = Id(load_default=None)
    rule = _line(load_default="", metadata={"description": "没有做到的标准化检查"})


class CatalogueNewLegalBasisSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    number = _line(load_default="")
    clause = _line(load_default="")


class CatalogueNewDirectorySchema(ma.Schema):
    code = Text(longest=CODE_MAX, required=True)
    code_scheme = Text(longest=SCHEME_MAX, required=True)
    name = Text(longest=NAME_MAX, required=True)
    item_type = _enum(ItemType, required=True)
    domain = _enum(Domain, required=True)
    legal_basis = ma.fields.List(
        ma.fields.Nested(CatalogueNewLegalBasisSchema()),
        load_default=list,
        validate=ma.validate.Length(0, BASES_MAX),
    )
    sample = ma.fields.Bool(load_default=False)

    @ma.post_load
    def _build(self, data: dict[str, object], **_: object) -> dict[str, object]:
        version = data.pop("version", None)
        return {"new": NewDirectory(**data), "version": version}  # type: ignore[arg-type]


class CatalogueChangedDirectorySchema(CatalogueNewDirectorySchema):
    version = _version()


class CatalogueDirectoryEntrySchema(ma.Schema):
    id = Id(required=True)
    code = ma.fields.Str(required=True)
    code_scheme = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    item_type = _enum(ItemType, required=True)
    domain = _enum(Domain, required=True)
    legal_basis = ma.fields.List(ma.fields.Nested(ServiceItemLegalBasisSchema()), required=True)
    sample = ma.fields.Bool(required=True)
    version = ma.fields.Int(required=True)


class CatalogueDirectoryListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CatalogueDirectoryEntrySchema()), required=True)
    next_after = ma.fields.Str(required=True, allow_none=True)


class CatalogueNewImplementationSchema(ma.Schema):
    directory_id = Id(required=True)
    body_id = Id(required=True)
    region_code = Text(
        longest=12, load_default=None, metadata={"description": "不填就是单位所在的地区", "maxLength": 12}
    )
    code = Text(longest=CODE_MAX, required=True)
    code_scheme = Text(longest=SCHEME_MAX, required=True)


class CatalogueStandingSchema(ma.Schema):
    id = Id(required=True)
    directory_id = Id(required=True)
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    newest_id = Id(required=True, allow_none=True)
    newest_number = ma.fields.Int(required=True)
    newest_state = _enum(VersionState, required=True, allow_none=True)
    live_id = Id(required=True, allow_none=True)
    live_state = _enum(VersionState, required=True, allow_none=True)
    score = ma.fields.Int(required=True, allow_none=True, metadata={"description": "0 至 100"})
    waiting_since = ma.fields.AwareDateTime(required=True, allow_none=True)


class CatalogueStandingListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CatalogueStandingSchema()), required=True)
    next_after = ma.fields.Str(required=True, allow_none=True)


class CatalogueVersionLineSchema(ma.Schema):
    id = Id(required=True)
    number = ma.fields.Int(required=True)
    state = _enum(VersionState, required=True)
    effective_on = ma.fields.Date(required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    created_by = ma.fields.Str(required=True)
    reason = ma.fields.Str(required=True)


class CatalogueImplementationSchema(ma.Schema):
    line = ma.fields.Nested(CatalogueStandingSchema(), required=True)
    directory = ma.fields.Nested(CatalogueDirectoryEntrySchema(), required=True)
    body_id = Id(required=True)
    region_code = ma.fields.Str(required=True)
    code_scheme = ma.fields.Str(required=True)
    versions = ma.fields.List(ma.fields.Nested(CatalogueVersionLineSchema()), required=True)
    may_begin = ma.fields.Bool(required=True, metadata={"description": "现在可以起草新版本"})


class CatalogueMadeSchema(ma.Schema):
    id = Id(required=True)


class CatalogueRuleSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    field = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    severity = _enum(Severity, required=True)
    source = ma.fields.Str(required=True, metadata={"description": "法律条款，或标准化要求"})
    weight = ma.fields.Int(required=True)
    advice = ma.fields.Str(required=True)


class CatalogueFindingSchema(ma.Schema):
    rule = ma.fields.Nested(CatalogueRuleSchema(), required=True)
    problems = ma.fields.List(ma.fields.Str(), required=True)
    points = ma.fields.Float(required=True, metadata={"description": "没有做到扣几分"})


class CatalogueAssessmentSchema(ma.Schema):
    score = ma.fields.Int(required=True)
    failed = ma.fields.List(ma.fields.Nested(CatalogueFindingSchema()), required=True)


class CatalogueVersionSchema(ma.Schema):
    id = Id(required=True, attribute="item.version_id")
    number = ma.fields.Int(required=True, attribute="item.version_number")
    implementation_id = Id(required=True, attribute="item.id")
    state = _enum(VersionState, required=True, attribute="item.state")
    effective_on = ma.fields.Date(required=True, attribute="item.effective_on")
    body_id = Id(required=True, attribute="item.body_id")
    content = ma.fields.Nested(ServiceItemContentSchema(), required=True, attribute="item.content")
    form = ma.fields.Dict(keys=ma.fields.Str(), required=True, allow_none=True, attribute="item.form")
    version = ma.fields.Int(required=True, metadata={"description": "这个版本改过几次，写入时带上"})
    reason = ma.fields.Str(required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    created_by = ma.fields.Str(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    submitted_by = ma.fields.Str(required=True)
    quality = ma.fields.Nested(CatalogueAssessmentSchema(), required=True)
    may = ma.fields.List(_enum(VersionEvent), required=True, metadata={"description": "您可以办理的"})
    may_write = ma.fields.Bool(required=True)
    before = ma.fields.Nested(CatalogueVersionLineSchema(), required=True, allow_none=True)


class CatalogueNewVariantSchema(ma.Schema):
    code = Text(longest=40, required=True)
    name = Text(longest=NAME_MAX, required=True)
    when = ma.fields.Dict(keys=ma.fields.Str(), load_default=None, allow_none=True)
    note = _line(TEXT_MAX, load_default="")


class CatalogueNewMaterialSchema(ma.Schema):
    code = Text(longest=40, required=True)
    name = Text(longest=NAME_MAX, required=True)
    handings = ma.fields.List(_enum(Handing), required=True, validate=_few(Handing))
    source = _line(load_default="申请人自备")
    original_count = _count(load_default=1)
    copy_count = _count(load_default=0)
    required = ma.fields.Bool(load_default=True)
    note = _line(TEXT_MAX, load_default="")
    variants = _lines(40, load_default=list)


class CatalogueNewStepSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    days = _count(load_default=0)
    by = _line(load_default="")
    result = _line(load_default="")


class CatalogueNewFeeSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    fen = _count(load_default=None, allow_none=True)
    standard = _line(load_default="")
    basis = _line(TEXT_MAX, load_default="")


class CatalogueNewResultSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    kind = _line(load_default="证照")


class CatalogueNewPlaceSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    address = _line(TEXT_MAX, load_default="")
    hours = _line(load_default="")


class CatalogueNewQuestionSchema(ma.Schema):
    question = Text(longest=SUMMARY_MAX, required=True)
    answer = _line(TEXT_MAX, load_default="")


class CatalogueNewContentSchema(ma.Schema):
    """The whole of a version but its form, as it is sent; what is left out of the optional is empty."""

    name = Text(longest=NAME_MAX, required=True)
    summary = _line(SUMMARY_MAX, required=True)
    served = ma.fields.List(_enum(ServedKind), required=True, validate=_few(ServedKind))
    case_type = _enum(CaseType, required=True)
    promised_days = _count(required=True)
    lawful_days = _count(required=True, allow_none=True)
    conditions = _lines(TEXT_MAX, required=True)
    materials = _rows(CatalogueNewMaterialSchema(), required=True)
    steps = _rows(CatalogueNewStepSchema(), required=True)
    results = _rows(CatalogueNewResultSchema(), required=True)
    deliveries = ma.fields.List(_enum(Delivery), required=True, validate=_few(Delivery))
    hotline = _line(CODE_MAX, required=True)
    complaint_line = _line(CODE_MAX, required=True)
    places = _rows(CatalogueNewPlaceSchema(), required=True)
    online = ma.fields.Bool(required=True)
    full_process = ma.fields.Bool(required=True)
    visits = _count(required=True)
    visit_reason = _line(TEXT_MAX, load_default="")
    supplement_days = _count(load_default=15)
    pauses = _lines(NAME_MAX, load_default=list)
    fees = _rows(CatalogueNewFeeSchema(), load_default=list)
    questions = _rows(CatalogueNewQuestionSchema(), load_default=list)
    synonyms = _lines(NAME_MAX, load_default=list)
    variants = _rows(CatalogueNewVariantSchema(), load_default=list)
    level = ma.fields.Int(strict=True, load_default=1, validate=ma.validate.Range(1, 3))
    second_person = ma.fields.Bool(load_default=False)


class CatalogueChangedVersionSchema(ma.Schema):
    version = _version()
    content = ma.fields.Nested(CatalogueNewContentSchema(), required=True)
    form = ma.fields.Dict(keys=ma.fields.Str(), required=True, allow_none=True)
    effective_on = ma.fields.Date(required=True, metadata={"maxLength": 10})


class CatalogueMoveSchema(ma.Schema):
    event = _enum(VersionEvent, required=True)
    version = _version()
    reason = _line(REASON_MAX, load_default="", metadata={"description": "退回、暂停、取消时必填"})


class CatalogueDifferencesQuerySchema(ma.Schema):
    from_version_id = Id(
        load_default=None, metadata={"description": "和哪一版比；不填为现行版本，没有现行版本的为上一版"}
    )


class CatalogueChangeSchema(ma.Schema):
    label = ma.fields.Str(required=True)
    kind = _enum(ChangeKind, required=True)
    what = ma.fields.Str(required=True, metadata={"description": "列表里的哪一项、哪一栏"})
    old = ma.fields.Str(required=True)
    new = ma.fields.Str(required=True)


class CatalogueDifferencesSchema(ma.Schema):
    from_version_id = Id(required=True, allow_none=True)
    changes = ma.fields.List(ma.fields.Nested(CatalogueChangeSchema()), required=True)


class CatalogueBodyScoreSchema(ma.Schema):
    body_id = Id(required=True)
    body_name = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    item_count = ma.fields.Int(required=True)
    score = ma.fields.Float(required=True, metadata={"description": "全部事项的平均分"})
    lowest = ma.fields.Int(required=True)


class CatalogueRuleCountSchema(ma.Schema):
    rule = ma.fields.Nested(CatalogueRuleSchema(), required=True)
    item_count = ma.fields.Int(required=True)


class CatalogueScoresSchema(ma.Schema):
    bodies = ma.fields.List(ma.fields.Nested(CatalogueBodyScoreSchema()), required=True)
    rules = ma.fields.List(ma.fields.Nested(CatalogueRuleCountSchema()), required=True)


class CatalogueBodyQualitySchema(ma.Schema):
    score = ma.fields.Nested(CatalogueBodyScoreSchema(), required=True, allow_none=True)
    rules = ma.fields.List(ma.fields.Nested(CatalogueRuleCountSchema()), required=True)
    worst = ma.fields.List(ma.fields.Nested(CatalogueStandingSchema()), required=True)


class CatalogueExportSchema(ma.Schema):
    what = _enum(What, load_default=What.ITEMS)
    form = _enum(FileForm, load_default=FileForm.JSON)
    q = _line(QUERY_MAX, load_default="")
    state = _enum(VersionState, load_default=None)
    body_id = Id(load_default=None)
    after = Text(longest=AFTER_MAX, load_default=None)

    @ma.post_load
    def _build(self, data: dict[str, object], **_: object) -> dict[str, object]:
        wanted = Filter(text=data.pop("q"), state=data.pop("state"), body_id=data.pop("body_id"))  # type: ignore[arg-type]
        return {**data, "wanted": wanted}


class CatalogueImportFileSchema(ma.Schema):
    file = ma.fields.Raw(
        required=True, metadata={"type": "string", "format": "binary", "description": "CSV、XLSX 或 JSON"}
    )


class CatalogueImportQuerySchema(ma.Schema):
    what = _enum(What, load_default=What.ITEMS)


class CataloguePlannedSchema(ma.Schema):
    number = ma.fields.Int(required=True, metadata={"description": "行"})
    act = _enum(Act, required=True)
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)


class CatalogueImportSchema(ma.Schema):
    id = Id(required=True)
    file_name = ma.fields.Str(required=True)
    what = _enum(What, required=True)
    planned = ma.fields.List(ma.fields.Nested(CataloguePlannedSchema()), required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    committed_at = ma.fields.AwareDateTime(required=True, allow_none=True)
