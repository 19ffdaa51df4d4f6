"""The English catalogue: whole, fitting, and nothing on a resident's page that was forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from deploy import translations

APP = Path("app")
CHINESE = re.compile("[\u4e00-\u9fff]")
MARKED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
IN_CODE = re.compile(r'(?<!_\()"[^"]*[\u4e00-\u9fff][^"]*"')
PLACEHOLDER = re.compile(r"%\((\w+)\)s|\{(\w*)\}")
CHINESE_ONLY = {"portal/bridge.html"}
"""For those who build departments' pages."""


@pytest.fixture(scope="module")
def english():
    with translations.ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


@pytest.fixture(scope="module")
def said():
    return {message.id for message in translations.extracted() if message.id}


def resident_templates():
    """Return what extends the phone's frame, directly or not, and what such templates import."""
    texts = {str(path).split("templates/")[1]: path.read_text() for path in APP.rglob("templates/**/*.html")}
    known = {"core/phone.html"}
    while True:
        uses = {
            name
            for name, text in texts.items()
            for parent in re.findall(r'\{% extends "([^"]+)"', text)
            if parent in known
        }
        parts = {
            part
            for name in known
            for part in re.findall(r'\{% (?:import|include|from) "([^"]+)"', texts[name])
        }
        if uses | parts <= known:
            return {name: texts[name] for name in sorted(known - CHINESE_ONLY)}
        known |= uses | parts


def test_every_message_has_its_english(english, said):
    assert said - {message.id for message in english if message.string} == set()


def test_nothing_is_translated_that_nobody_says(english, said):
    assert {message.id for message in english if message.id} - said == set()


def test_english_has_the_same_placeholders(english):
    odd = [
        message.id
        for message in english
        if message.id
        and sorted(PLACEHOLDER.findall(message.id)) != sorted(PLACEHOLDER.findall(message.string))
    ]

    assert odd == []


def test_english_is_english(english):
    quoted = re.compile(r"“[^”]*”|e\.g\. .*")

    assert [one.string for one in english if CHINESE.search(quoted.sub("", one.string))] == []


def test_no_words_of_a_residents_page_are_left_unmarked():
    unmarked = {}
    for name, text in resident_templates().items():
        found = [line.strip() for line in MARKED.sub("", text).splitlines() if CHINESE.search(line)]
        in_code = [
            one for code in MARKED.findall(text) if not code.startswith("{#") for one in IN_CODE.findall(code)
        ]
        if found or in_code:
            unmarked[name] = found + in_code

    assert unmarked == {}
