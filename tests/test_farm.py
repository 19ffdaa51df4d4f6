"""The short form of the scripted farm: real prober, real database, real servers that fail."""

from bench import farm
from tests.builders import an_environment


def test_what_fails_on_the_farm_is_found_and_nothing_is_invented(tmp_path):
    environment = an_environment(HALL_TRUSTED_HOSTS="127.0.0.1")

    score = farm.run(environment, tmp_path, farm.SHORT)

    assert [reason for points, reason in score.lost if "availability" not in reason] == []
