"""The embedded servers: reachable by us only, run as nobody special, and one clear line when they cannot start."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from portal import embedded, launch, run


@pytest.fixture
def home(tmp_path_factory):
    folder = embedded.default_home(Path("var").resolve()) / "test" / f"embedded-{os.getpid()}"
    yield folder
    embedded.stop(folder)
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_postgres_starts_stops_and_starts_again(home):
    url = embedded.start_postgres(home, test=True)
    embedded.check_version(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW max_locks_per_transaction").fetchone() == ("256",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute(
            "SELECT rolsuper, rolinherit FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (
            False,
            False,
        )
    assert (home / "postgres").stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        assert pwd.getpwuid((home / "postgres" / "PG_VERSION").stat().st_uid).pw_name == embedded.SERVICE_USER

    embedded.stop(home)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert embedded.start_postgres(home, test=True) == url


def test_valkey_answers_to_its_password_only(home):
    url = embedded.start_valkey(home)
    assert redis.Redis.from_url(url).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url("redis://" + url.split("@")[1]).ping()


def test_data_of_another_version_is_refused_in_one_line(home):
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("14\n")
    with pytest.raises(embedded.ServerError, match="PostgreSQL 14, this is 18") as refusal:
        embedded.start_postgres(home)
    assert "\n" not in str(refusal.value)


def test_a_postgres_that_is_too_old_is_refused_in_one_line(home, monkeypatch):
    url = embedded.start_postgres(home, test=True)
    monkeypatch.setattr(embedded, "OLDEST", 19)
    with pytest.raises(embedded.ServerError, match="PostgreSQL 18 is not supported"):
        embedded.check_version(url)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_a_folder_that_the_service_user_cannot_reach_is_named(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(embedded.ServerError, match=f"{tmp_path} is closed"):
        embedded.start_postgres(tmp_path / "data")


def test_a_database_that_does_not_answer_is_told_in_one_line(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://strowger@127.0.0.1:1/strowger")
    with pytest.raises(run.Stop, match="DATABASE_URL does not answer") as refusal:
        launch._postgres(None, {}, Path())
    assert "\n" not in str(refusal.value)


def test_the_bootstrap_needs_nothing_but_the_standard_library():
    alone = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import portal.run"]
    done = subprocess.run(alone, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_is_killed_ends_its_keeper_and_starts_again(home):
    command = [sys.executable, "-m", "portal.embedded", "postgres", "--test", "--data", str(home)]
    keeper = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = keeper.stdout.readline().strip().removeprefix("DATABASE_URL=")
    pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])

    os.kill(pid, signal.SIGKILL)

    assert "ended by itself" in keeper.communicate(timeout=20)[1]
    assert keeper.returncode == 1
    for _ in range(20):  # until the last of the killed server's children is gone
        try:
            assert embedded.start_postgres(home, test=True) == url
            break
        except embedded.ServerError:
            time.sleep(0.2)
    embedded.check_version(url)
