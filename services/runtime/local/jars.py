"""Which jars the broker runs from, and proof that they are the ones that were tried.

`resolve` gives the class path of Apache Kafka: jgo resolves and caches the Maven coordinates, and
every jar is compared with the sha256 kept in `kafka-jars.json` before a JVM may load it.
`python -m services.runtime.local.jars --pin` rewrites that file after a deliberate upgrade.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.runtime.local.process import LocalStackError

if TYPE_CHECKING:
    from jgo.env import Environment

KAFKA_VERSION: Final = "4.3.1"

# One at a time: asked for together, jgo 3.2 settles on kafka-clients 3.9.1 and the broker cannot load.
COORDINATES: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
PINS: Final = Path(__file__).with_name("kafka-jars.json")

_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 2.0
_QUIET_SECONDS: Final = 1.0


class JarError(LocalStackError):
    """A jar could not be had, or is not the one that is pinned; the message names it."""


def _silent(_: str) -> None:
    """Say nothing."""


def resolve(say: Callable[[str], None] = _silent) -> list[Path]:
    """Give the verified class path of the broker, downloading it the first time (44 MB, 10-15 s).

    `say` is told what goes on when it takes longer than a second, from another thread.
    Raises JarError when a jar cannot be downloaded, is missing, unknown or not the pinned one.
    """
    notice = threading.Timer(
        _QUIET_SECONDS, say, (f"fetching the jars of Apache Kafka {KAFKA_VERSION} (44 MB, only this once)",)
    )
    home = _cache() / "openitem" / hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    if not home.is_dir():
        notice.daemon = True
        notice.start()
        try:
            _fill(home)
        finally:
            notice.cancel()
    jars = sorted(home.glob("*.jar"))
    verify(jars, pinned())
    return jars


def _fill(home: Path) -> None:
    """Put verified copies of the jars into `home`, all at once.

    The copies are ours: jgo makes its own folders anew at each call, under the feet of a broker that
    another process is just starting from them.
    """
    draft = home.with_name(f"{home.name}.{os.getpid()}")
    jars = _download()
    verify(jars, pinned())
    draft.mkdir(parents=True)
    for jar in jars:
        shutil.copyfile(jar, draft / jar.name)
    try:
        draft.rename(home)
    except OSError:  # another process was quicker
        shutil.rmtree(draft)


def _cache() -> Path:
    """Give jgo's cache directory. Raises JarError when the wheel jgo is not installed."""
    try:
        from jgo.config import GlobalSettings  # the extra `local`; a client of a running stack does without
    except ImportError as error:
        raise JarError("the wheel jgo is missing: install the extra `local`") from error
    cache: Path = GlobalSettings.load().cache_dir
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def pinned() -> dict[str, str]:
    """Read the expected hashes: file name of a jar -> sha256 in hex."""
    pins: dict[str, str] = json.loads(PINS.read_text())
    return pins


def verify(jars: Iterable[Path], expected: Mapping[str, str]) -> None:
    """Compare the jars with their pinned hashes; raises JarError naming the first that differs."""
    present = {jar.name: jar for jar in jars}
    for name in sorted(present.keys() | expected.keys()):
        if name not in present:
            raise JarError(f"{name} is pinned in {PINS.name} but was not resolved")
        if name not in expected:
            raise JarError(f"{name} was resolved but is not pinned in {PINS.name}: {present[name]}")
        found = _sha256(present[name])
        if found != expected[name]:
            raise JarError(
                f"{name} is not the jar that is pinned in {PINS.name}: sha256 {found}, expected"
                f" {expected[name]}. If a download was cut short, delete {present[name].resolve()}"
                " and its copy in the local Maven repository, and start again."
            )


def pin() -> dict[str, str]:
    """Write the hashes of what resolves now to `kafka-jars.json`; for a deliberate upgrade only."""
    pins = {jar.name: _sha256(jar) for jar in _download()}
    PINS.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n")
    return pins


def _download() -> list[Path]:
    """Resolve the coordinates, one process at a time: jgo fills its cache without caring for others."""
    cache = _cache()
    import jgo

    with (cache / "openitem.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        jars = [jar for coordinate in COORDINATES for jar in _build(jgo.build, coordinate)]
    return list({jar.name: jar for jar in jars}.values())


def _build(build: Callable[[str], "Environment"], coordinate: str) -> list[Path]:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return list(build(coordinate).all_jars)
        except Exception as error:  # jgo lets through whatever its HTTP and XML libraries raise
            if attempt == _ATTEMPTS:
                raise JarError(f"{coordinate} could not be resolved: {error}") from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Show the verified class path, or pin it."""
    parser = argparse.ArgumentParser(description="Show the jars of the embedded Kafka broker.")
    parser.add_argument("--pin", action="store_true", help=f"rewrite {PINS.name} with what resolves now")
    if parser.parse_args().pin:
        print(f"{len(pin())} jars pinned in {PINS}")
        return
    for jar in resolve(print):
        print(jar)


if __name__ == "__main__":
    main()
