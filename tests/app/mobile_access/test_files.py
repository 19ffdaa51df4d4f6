from hashlib import sha256

import pytest

from app.core.errors import NotFound
from app.mobile_access.files import artifact_store


def test_a_file_is_found_under_the_hash_of_its_content(tmp_path):
    store = artifact_store(tmp_path)

    digest = store.put(b"screenshot")

    assert digest == sha256(b"screenshot").hexdigest()
    assert store.get(digest) == b"screenshot"


def test_the_same_content_is_kept_once_and_no_part_is_left_behind(tmp_path):
    store = artifact_store(tmp_path)

    addresses = {store.put(b"same") for _ in range(3)}

    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(addresses) == 1


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("0" * 64, id="unknown"),
        pytest.param("../../../etc/passwd", id="a path"),
        pytest.param("A" * 64, id="upper case"),
        pytest.param("", id="empty"),
        pytest.param("0" * 64 + "\n", id="a line end"),
    ],
)
def test_what_is_no_address_is_not_found(tmp_path, address):
    with pytest.raises(NotFound):
        artifact_store(tmp_path).get(address)
