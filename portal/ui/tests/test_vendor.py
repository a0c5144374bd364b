import pytest

from portal.ui import vendor


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "package-lock.json").write_text('{"packages": {}}')
    (tmp_path / "static" / "vendor").mkdir(parents=True)
    return tmp_path


def stamp(root):
    (root / "static" / "vendor" / vendor.STAMP).write_text(vendor.made_of(root))


def test_a_folder_without_a_stamp_is_made_anew(checkout):
    assert not vendor.is_current(checkout)

    stamp(checkout)

    assert vendor.is_current(checkout)


def test_another_version_of_a_package_makes_it_anew(checkout):
    stamp(checkout)
    (checkout / "package-lock.json").write_text('{"packages": {"htmx.org": {"version": "3"}}}')

    assert not vendor.is_current(checkout)


def test_a_new_icon_makes_it_anew(checkout, monkeypatch):
    stamp(checkout)
    monkeypatch.setattr(vendor, "OUTLINE", vendor.OUTLINE | {"brand-new"})

    assert not vendor.is_current(checkout)
