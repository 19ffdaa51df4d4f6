"""The only public face of themes: definitions, guides, applications for several items at once.

Functions that write need a running transaction.
"""

from __future__ import annotations

from app.themes.availability import Placed as Placed
from app.themes.availability import PlacedItem as PlacedItem
from app.themes.definition import Definition as Definition
from app.themes.domain import ENDED as ENDED
from app.themes.domain import EVENT_LABELS as EVENT_LABELS
from app.themes.domain import PART_LABELS as PART_LABELS
from app.themes.domain import RELATION_LABELS as RELATION_LABELS
from app.themes.domain import STATE_LABELS as STATE_LABELS
from app.themes.domain import VERSION_LABELS as VERSION_LABELS
from app.themes.domain import Event as Event
from app.themes.domain import MoveNotAllowed as MoveNotAllowed
from app.themes.domain import PartStatus as PartStatus
from app.themes.domain import State as State
from app.themes.domain import ThemeChanged as ThemeChanged
from app.themes.domain import ThemeClosed as ThemeClosed
from app.themes.domain import VersionMoveNotAllowed as VersionMoveNotAllowed
from app.themes.domain import VersionState as VersionState
from app.themes.drafts import Saved as Saved
from app.themes.drafts import Started as Started
from app.themes.drafts import discard as discard
from app.themes.drafts import draft_of as draft_of
from app.themes.drafts import expired_drafts as expired_drafts
from app.themes.drafts import forget_draft as forget_draft
from app.themes.drafts import forget_resident as forget_resident
from app.themes.drafts import save as save
from app.themes.drafts import start as start
from app.themes.extending import extend as extend
from app.themes.merging import Feed as Feed
from app.themes.merging import Finding as Finding
from app.themes.progress import ThemeCaseList as ThemeCaseList
from app.themes.progress import ThemeCaseView as ThemeCaseView
from app.themes.progress import ThemeProgress as ThemeProgress
from app.themes.progress import found_by_number as found_by_number
from app.themes.progress import mine as mine
from app.themes.progress import my_case as my_case
from app.themes.progress import progress as progress
from app.themes.reading import Guide as Guide
from app.themes.reading import ThemeLine as ThemeLine
from app.themes.reading import guide as guide
from app.themes.reading import themes as themes
from app.themes.running import follow as follow
from app.themes.running import followers_of as followers_of
from app.themes.running import submit as submit
from app.themes.running import unfinished as unfinished
from app.themes.running import withdraw as withdraw
from app.themes.versions import VersionView as VersionView
from app.themes.versions import changes_since as changes_since
from app.themes.versions import check as check
from app.themes.versions import draft as draft
from app.themes.versions import edit as edit
from app.themes.versions import newest_versions as newest_versions
from app.themes.versions import publish as publish
from app.themes.versions import retire as retire
from app.themes.versions import version_of as version_of
