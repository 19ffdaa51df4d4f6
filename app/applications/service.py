"""The only public face of applications: drafts, submission, progress, the desk, the clocks.

Functions that write need a running transaction.
"""

from __future__ import annotations

from app.applications.attachments import FileView as FileView
from app.applications.clock import due_on as due_on
from app.applications.deadlines import deem_accepted as deem_accepted
from app.applications.deadlines import overdue_intakes as overdue_intakes
from app.applications.deadlines import overdue_supplements as overdue_supplements
from app.applications.deadlines import retire_versions as retire_versions
from app.applications.deadlines import return_overdue as return_overdue
from app.applications.desk import DeskLine as DeskLine
from app.applications.desk import DeskList as DeskList
from app.applications.desk import case_for as case_for
from app.applications.desk import personal_answers as personal_answers
from app.applications.desk import put_back as put_back
from app.applications.desk import queue as queue
from app.applications.desk import step as step
from app.applications.desk import take as take
from app.applications.domain import CHANNEL_LABELS as CHANNEL_LABELS
from app.applications.domain import EVENT_LABELS as EVENT_LABELS
from app.applications.domain import PLAIN_LABELS as PLAIN_LABELS
from app.applications.domain import STATE_LABELS as STATE_LABELS
from app.applications.domain import AnswersRefused as AnswersRefused
from app.applications.domain import Channel as Channel
from app.applications.domain import Event as Event
from app.applications.domain import FileRefused as FileRefused
from app.applications.domain import FileType as FileType
from app.applications.domain import ItemChanged as ItemChanged
from app.applications.domain import ItemClosed as ItemClosed
from app.applications.domain import MoveNotAllowed as MoveNotAllowed
from app.applications.domain import ProgressUnknown as ProgressUnknown
from app.applications.domain import State as State
from app.applications.domain import Who as Who
from app.applications.domain import events_from as events_from
from app.applications.domain import is_number as is_number
from app.applications.drafts import Saved as Saved
from app.applications.drafts import Started as Started
from app.applications.drafts import discard as discard
from app.applications.drafts import draft_of as draft_of
from app.applications.drafts import draft_problems as draft_problems
from app.applications.drafts import save_draft as save_draft
from app.applications.drafts import start_draft as start_draft
from app.applications.following import Standing as Standing
from app.applications.following import origins as origins
from app.applications.following import standings as standings
from app.applications.own import CaseList as CaseList
from app.applications.own import mine as mine
from app.applications.own import my_case as my_case
from app.applications.own import new_query_code as new_query_code
from app.applications.own import supply as supply
from app.applications.own import withdraw as withdraw
from app.applications.prefill import Prefilled as Prefilled
from app.applications.prefill import prefill as prefill
from app.applications.progress import ProgressPart as ProgressPart
from app.applications.progress import ProgressStep as ProgressStep
from app.applications.progress import ProgressView as ProgressView
from app.applications.progress import progress as progress
from app.applications.reported import step_by_system as step_by_system
from app.applications.steps import Told as Told
from app.applications.submitting import apply_with as apply_with
from app.applications.submitting import demand_level as demand_level
from app.applications.submitting import free_number as free_number
from app.applications.submitting import submit as submit
from app.applications.uploads import case_file as case_file
from app.applications.uploads import my_file as my_file
from app.applications.uploads import my_files as my_files
from app.applications.uploads import remove_file as remove_file
from app.applications.uploads import upload as upload
from app.applications.views import CaseLine as CaseLine
from app.applications.views import CaseView as CaseView
from app.applications.views import EventView as EventView
from app.applications.views import SupplementView as SupplementView
