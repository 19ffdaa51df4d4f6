"""What changed between two checks of one page."""

from mobile_pages.report.comparison import Change, compare
from tests.mobile_pages.report.builders import a_page, a_result


def codes(results):
    return [one.code for one in results]


def test_rules_that_fail_anew_still_or_no_longer_are_told_apart():
    before = a_page(a_result("MAS-LAY-01"), a_result("MAS-LAY-02"), a_result("MAS-LAY-03", "pass"))
    now = a_page(a_result("MAS-LAY-01"), a_result("MAS-LAY-02", "pass"), a_result("MAS-LAY-03"))

    found = compare(before, now)

    assert codes(found.still_broken) == ["MAS-LAY-01"]
    assert codes(found.mended) == ["MAS-LAY-02"]
    assert codes(found.broken) == ["MAS-LAY-03"]


def test_a_rule_new_to_the_spec_that_fails_is_newly_broken():
    found = compare(a_page(), a_page(a_result("MAS-LAY-01")))

    assert found.change_of("MAS-LAY-01") is Change.BROKEN


def test_a_fault_that_could_not_be_looked_at_again_is_not_called_mended():
    found = compare(a_page(a_result("MAS-LAY-01")), a_page(a_result("MAS-LAY-01", "not_run")))

    assert found.mended == ()
    assert found.change_of("MAS-LAY-01") is None
