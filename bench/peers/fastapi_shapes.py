"""What the FastAPI peer takes and answers: the JSON of the hall's item and case routes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class ItemLine(BaseModel):
    id: str
    name: str
    body_name: str
    region_code: str
    region_name: str
    summary: str
    online: bool
    sample: bool
    page_id: str | None


class ItemList(BaseModel):
    items: list[ItemLine]
    next_after: str | None


class Material(BaseModel):
    code: str
    name: str
    handings: list[str]
    source: str = "申请人自备"
    original_count: int = 1
    copy_count: int = 0
    required: bool = True
    note: str = ""
    variants: list[str] = []


class Step(BaseModel):
    name: str
    days: int
    by: str = ""
    result: str = ""


class Fee(BaseModel):
    name: str
    fen: int | None
    standard: str
    basis: str = ""


class Result(BaseModel):
    name: str
    kind: str = "证照"


class Place(BaseModel):
    name: str
    address: str
    hours: str


class Question(BaseModel):
    question: str
    answer: str


class Variant(BaseModel):
    code: str
    name: str
    when: dict[str, Any] | None = None
    note: str = ""


class Content(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    summary: str
    served: list[str]
    case_type: str
    promised_days: int
    lawful_days: int | None
    conditions: list[str]
    materials: list[Material]
    steps: list[Step]
    results: list[Result]
    deliveries: list[str]
    hotline: str
    complaint_line: str
    places: list[Place]
    online: bool
    full_process: bool
    visits: int
    visit_reason: str = ""
    supplement_days: int = 15
    pauses: list[str] = []
    fees: list[Fee] = []
    questions: list[Question] = []
    synonyms: list[str] = []
    variants: list[Variant] = []
    level: int = 1
    second_person: bool = False


class LegalBasis(BaseModel):
    name: str
    number: str = ""
    clause: str = ""


class Item(BaseModel):
    id: str
    version_id: str
    version_number: int
    code: str
    code_scheme: str
    directory_id: str
    directory_code: str
    item_type: str
    domain: str
    legal_basis: list[LegalBasis]
    sample: bool
    body_id: str
    body_name: str
    region_code: str
    region_name: str
    page_id: str | None
    state: str
    effective_on: date
    open: bool
    content: Content
    form: dict[str, Any] | None


class Submission(BaseModel):
    version: int


class Receipt(BaseModel):
    id: str
    version: int
    number: str
    state: str
    state_label: str
    submitted_at: datetime
    intake_due_on: date


class ProgressStep(BaseModel):
    number: int
    label: str
    at: datetime


class Progress(BaseModel):
    number: str
    item_name: str
    body_name: str
    state: str
    state_label: str
    submitted_at: datetime
    due_on: date | None
    steps: list[ProgressStep]
