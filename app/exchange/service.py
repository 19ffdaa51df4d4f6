"""The only public face of the exchange with departments' systems (对接规范).

Functions that write need a running transaction.
"""

from __future__ import annotations

from app.applications import service as applications
from app.exchange.applying import forget_case as forget_case
from app.exchange.applying import settle_again as settle_again
from app.exchange.applying import waiting_cases as waiting_cases
from app.exchange.conformance import RunView as RunView
from app.exchange.conformance import Task as Task
from app.exchange.conformance import current as current
from app.exchange.conformance import passed_run as passed_run
from app.exchange.conformance import report as report
from app.exchange.conformance import runs as runs
from app.exchange.conformance import saw_inbox as saw_inbox
from app.exchange.conformance import saw_messages as saw_messages
from app.exchange.conformance import saw_read as saw_read
from app.exchange.conformance import start as start
from app.exchange.domain import MESSAGE_LABELS as MESSAGE_LABELS
from app.exchange.domain import OUT_LABELS as OUT_LABELS
from app.exchange.domain import OUTCOME_LABELS as OUTCOME_LABELS
from app.exchange.domain import SYSTEM_LABELS as SYSTEM_LABELS
from app.exchange.domain import Kind as Kind
from app.exchange.domain import MessageInvalid as MessageInvalid
from app.exchange.domain import MessageState as MessageState
from app.exchange.domain import NoOpenRun as NoOpenRun
from app.exchange.domain import NotLive as NotLive
from app.exchange.domain import Outcome as Outcome
from app.exchange.domain import OutState as OutState
from app.exchange.domain import SystemEvent as SystemEvent
from app.exchange.domain import SystemMoveNotAllowed as SystemMoveNotAllowed
from app.exchange.domain import SystemState as SystemState
from app.exchange.domain import TooLarge as TooLarge
from app.exchange.domain import VersionTaken as VersionTaken
from app.exchange.domain import VersionTooLow as VersionTooLow
from app.exchange.health import Health as Health
from app.exchange.health import health as health
from app.exchange.outbound import HAND_OVER_JOB as HAND_OVER_JOB
from app.exchange.outbound import OutView as OutView
from app.exchange.outbound import acknowledge as acknowledge
from app.exchange.outbound import catch_up as catch_up
from app.exchange.outbound import due as due
from app.exchange.outbound import hand_over as hand_over
from app.exchange.outbound import note_push as note_push
from app.exchange.outbound import pull as pull
from app.exchange.outbound import requeue as requeue
from app.exchange.outbound import tell_system as tell_system
from app.exchange.receiving import Given as Given
from app.exchange.receiving import Receipt as Receipt
from app.exchange.receiving import held_message as held_message
from app.exchange.receiving import receive as receive
from app.exchange.repairing import FieldValue as FieldValue
from app.exchange.repairing import MessageLine as MessageLine
from app.exchange.repairing import OutLine as OutLine
from app.exchange.repairing import close as close
from app.exchange.repairing import message as message
from app.exchange.repairing import notes_of as notes_of
from app.exchange.repairing import of_case as of_case
from app.exchange.repairing import queue as queue
from app.exchange.repairing import resend as resend
from app.exchange.repairing import tell_of_waiting as tell_of_waiting
from app.exchange.repairing import undelivered as undelivered
from app.exchange.showing import CaseSeen as CaseSeen
from app.exchange.showing import case_seen as case_seen
from app.exchange.showing import file_of as file_of
from app.exchange.systems import BRING_IN_JOB as BRING_IN_JOB
from app.exchange.systems import CATCH_UP_JOB as CATCH_UP_JOB
from app.exchange.systems import SystemView as SystemView
from app.exchange.systems import SystemWanted as SystemWanted
from app.exchange.systems import advance as advance
from app.exchange.systems import change as change
from app.exchange.systems import get as get
from app.exchange.systems import is_provincial as is_provincial
from app.exchange.systems import listing as listing
from app.exchange.systems import of_caller as of_caller
from app.exchange.systems import register as register
from app.exchange.systems import standard_results as standard_results
from app.third_parties.service import PUSHED as PUSHED

CASE_EVENT_LABELS = {event.value: label for event, label in applications.EVENT_LABELS.items()}
"""What the hall tells of a case, in words."""
