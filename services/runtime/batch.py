"""Records in, changes out: one transaction's work, without I/O and without a clock.

`read` decodes records and names what has to be loaded; `run` decides everything in order, up to the
end or to a handler that asks for more, which is then loaded; `changes` is what to write. One bad record
never spoils the others: it becomes a dead letter.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import Table

from contracts import codec, envelope
from contracts.catalog import BY_CLASS, OUTCOMES_TOPIC, Entry, commands_topic, facts_topic
from contracts.commands import DiscardParked, ReplayParked
from contracts.envelope import Envelope, Headers, Unreadable
from contracts.events.kernel import CommandOutcome, DeadLetter, Verdict
from contracts.rejections import Rejection
from services.runtime.lanes import lane_of
from services.runtime.service import Handler, Key, Kind, Meta, NotLoaded, Ref, Service, State
from services.runtime.store import Changes, InboxRow, Lane, OutboxRow, Parked, ParkedRow

Failed = Callable[[str, BaseException], None]

_NEWER = frozenset({"unknown_type", "unknown_version"})
"""Why a fact is refused that a newer version of its service states."""

MOST_VALUE_BYTES = 8_388_608
MOST_BESIDE_BYTES = 1_048_576
"""A message of ours holds at most so much of a record's value, and of its key or its headers: a compressed
batch may unpack to more than any topic takes."""

MOST_KEY_TOLD = 255
"""Bytes of a command's key that its answer repeats at most."""

MOST_REPLAYED = 500
"""So many parked messages are tried again with one order."""

MOST_ASKED = 10_000
"""So many states may be loaded for one message beside those it named."""


class Record(NamedTuple):
    """A Kafka record; `aiokafka.ConsumerRecord` has these attributes too."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Place(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class Alarm(NamedTuple):
    """Something that must not be gone past: a hole in a stream of facts, a fact we do not understand."""

    lane: int
    reason: str


@dataclass(slots=True)
class Item:
    """One record on its way through a batch: read, then decided."""

    record: Any
    envelope: Envelope | None = None
    entry: Entry | None = None
    message: Any = None
    handler: Handler | None = None
    refs: Sequence[Ref] = ()
    meta: Meta | None = None
    rejection: Rejection | None = None
    inbox_id: bytes = b""
    digest: bytes = b""
    dealt_with: int = 0
    """Of an order to replay or discard: how many parked messages it has decided or given up so far."""

    @property
    def lane(self) -> int:
        """The lane is the partition number."""
        return int(self.record.partition)

    @property
    def aggregate(self) -> str:
        """Name the aggregate that is parked when this fails; empty when nothing handles it."""
        return self.handler.aggregate(self.message) if self.handler else ""

    @property
    def key(self) -> bytes:
        """The record's key, for what is said about it; empty when it has none, or one beyond all measure."""
        key: bytes = self.record.key or b""
        return key if len(key) <= MOST_BESIDE_BYTES else b""


def _stream_of(source: str, topic: str) -> str:
    """Name the stream that a source (`service/lane`) makes on a topic; empty when it has no place there."""
    if topic == OUTCOMES_TOPIC:
        return f"{source} outcomes"
    return source if topic == facts_topic(source.partition("/")[0]) else ""


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=16).digest()


class Batch:
    """One transaction's records, from reading to changes.

    `condemned` names records that are dead-lettered without trying: the database refused what
    follows from them. `alarms` holds what was found while reading; the records from there on are left
    for later. `passed` holds the lanes on which some of the records had been taken before.
    """

    def __init__(
        self,
        service: Service,
        lane_count: int,
        lanes: Mapping[int, Lane],
        recorded_at: datetime,
        failed: Failed,
        condemned: Collection[Place] = (),
    ) -> None:
        self.service = service
        self.lane_count = lane_count
        self.lanes = lanes
        self.recorded_at = recorded_at
        self.failed = failed
        self.condemned = condemned
        self.items: list[Item] = []
        self.alarms: list[Alarm] = []
        self.passed: set[int] = set()
        self.changes = Changes(lanes=list(lanes.values()))
        self._states: dict[Ref, State | None] = {}
        self._next = 0
        self._asked = 0
        self._inbox: dict[tuple[int, bytes], InboxRow] = {}
        self._parked: Counter[tuple[int, str]] = Counter()
        self._to_replay: dict[tuple[int, str], list[ParkedRow]] = defaultdict(list)
        self._park_position: dict[int, int] = {}
        self._waiting: dict[tuple[int, int], Item] = {}
        # Of what compacted topics hold, by topic and key, only the last of a batch is stated.
        self._last: dict[tuple[str, str], tuple[Item, object]] = {}

    # -- reading ---------------------------------------------------------------------------------

    def read(self, records: Iterable[Any]) -> None:
        """Take the records that are new, in order, and move the lanes' cursors past them."""
        stopped: set[int] = set()
        commands = commands_topic(self.service.name)
        for record in records:
            lane = self.lanes[record.partition]
            if lane.number in stopped:
                continue
            if record.offset < lane.offsets.get(record.topic, 0):
                self.passed.add(lane.number)
                continue
            item = self._open(record)
            is_new: Alarm | bool = True
            if record.topic != commands:
                is_new = self._place_in_stream(lane, item)
            if isinstance(is_new, Alarm):
                self.alarms.append(is_new)
                stopped.add(lane.number)
                continue
            lane.offsets[record.topic] = record.offset + 1
            if is_new and (item.handler or item.rejection or record.topic == commands):
                self.items.append(item)

    def _open(self, record: Any) -> Item:
        item = Item(record)
        try:
            if record.value is None:
                raise Unreadable("tombstone", "the record has no value")
            item.envelope, body = envelope.read(record.headers, record.value)
            item.entry = entry = codec.entry_of(item.envelope.type)
            if entry.topic != record.topic:
                raise Unreadable("wrong_topic", f"{entry.type} belongs on {entry.topic}")
            item.handler = self.service.handlers.get(entry.cls)
            if item.handler or record.topic == commands_topic(self.service.name):
                item.message = codec.decode(entry, body)
                self._check_key(record, entry, item.message)
                self._prepare(item)
        except Unreadable as unreadable:
            item.rejection = unreadable.rejection
        except Exception as error:
            self.failed(f"{record.topic}/{record.partition}/{record.offset}", error)
            item.rejection = Rejection("failed", f"{type(error).__name__}: {error}"[:500])
        return item

    def _check_key(self, record: Any, entry: Entry, message: Any) -> None:
        if not entry.key:
            return  # its sender set the key
        expected = getattr(message, entry.key)
        if record.key != expected.encode():
            raise Unreadable("wrong_key", f"the key of {entry.name} is its {entry.key}, {expected!r}")
        if lane_of(record.key, self.lane_count) != record.partition:
            raise Unreadable("wrong_lane", f"key {expected!r} belongs in another partition")

    def _prepare(self, item: Item) -> None:
        assert item.envelope
        assert item.entry
        env = item.envelope
        item.meta = Meta(
            env.id,
            env.source,
            item.lane,
            self.recorded_at,
            env.time,
            env.actor,
            env.correlation,
            env.causation,
        )
        if item.handler:
            item.refs = item.handler.refs(item.message)
        if item.record.topic == commands_topic(self.service.name):
            item.inbox_id = _hash(env.source.encode(), env.id.encode())
            item.digest = _hash(item.entry.type.encode(), codec.encode(item.message))

    def _place_in_stream(self, lane: Lane, item: Item) -> Alarm | bool:
        """Say whether a fact is new to its stream, and count it. Too early or not understood is an alarm."""
        if item.envelope is None:
            return True
        source, found = item.envelope.source, item.envelope.sequence
        stream = _stream_of(source, item.record.topic)
        if found == 0 or not stream:
            item.rejection = Rejection("bad_envelope", "a fact has a sequence, and its service as source")
            return True
        last = lane.seen.get(stream, 0)
        if found > last + 1:
            reason = f"{item.record.topic}: {source} goes from {last} to {found}; facts are missing"
            return Alarm(lane.number, reason)
        if found <= last:
            return False
        if item.rejection and item.rejection.code in _NEWER:
            reason = f"{item.record.topic}: {item.envelope.type} is not known here; upgrade this service"
            return Alarm(lane.number, reason)
        lane.seen[stream] = found
        return True

    # -- what has to be loaded -------------------------------------------------------------------

    def inbox_ids(self) -> set[tuple[int, bytes]]:
        """Name the (lane, id) pairs of the commands in this batch, and of those that are tried again."""
        everything = (*self.items, *self._waiting.values())
        return {(item.lane, item.inbox_id) for item in everything if item.inbox_id}

    def parkable(self) -> set[tuple[int, str]]:
        """Name the aggregates (lane, name) of this batch on which something may be parked."""
        on = {lane.number for lane in self.lanes.values() if lane.parked}
        if not on:
            return set()
        named = {(i.lane, i.aggregate) for i in self.items if i.lane in on and i.handler}
        return named | {place for place in self.orders() if place[0] in on}

    def orders(self) -> dict[tuple[int, str], int]:
        """Name the aggregates with parked messages to be tried again, and how many of them at most."""
        orders = (ReplayParked, DiscardParked)
        named = Counter((i.lane, i.message.aggregate) for i in self.items if isinstance(i.message, orders))
        return {place: number * MOST_REPLAYED for place, number in named.items()}

    def take_parked(self, parked: Parked) -> None:
        """Take what is parked on those aggregates, and open again what is to be tried."""
        self._parked.update(parked.counts)
        self._park_position.update(parked.last)
        for row in parked.rows:
            self._to_replay[row.lane, row.aggregate].append(row)
            self._waiting[row.lane, row.position] = self._open(record_of(row.letter))

    def keys(self) -> dict[Kind, set[Key]]:
        """Name every state that the batch touches."""
        keys: dict[Kind, set[Key]] = defaultdict(set)
        # What a condemned message touches, or those that it orders to be tried again, may be what cannot
        # be loaded.
        given_up = any(map(self._is_condemned, self.items)) if self.condemned else False
        for item in () if given_up else (*self.items, *self._waiting.values()):
            for ref in item.refs:
                keys[ref.kind].add(ref.key)
        return keys

    def take_states(self, kind: Kind, keys: Iterable[Key], states: Mapping[Key, State]) -> None:
        """Take what was found of the keys that were loaded."""
        for key in keys:
            self._states[Ref(kind, key)] = states.get(key)

    def take_inbox(self, rows: Mapping[tuple[int, bytes], InboxRow]) -> None:
        """Take which commands were taken before."""
        self._inbox.update(rows)

    # -- deciding --------------------------------------------------------------------------------

    def run(self) -> Ref | None:
        """Decide the items in order. Gives the state that a handler asks for: load it, and run on."""
        while self._next < len(self.items):
            try:
                self._take(self.items[self._next])
            except NotLoaded as missing:
                self._asked += 1
                return missing.ref
            self._next += 1
            self._asked = 0
        for (_, name), (item, fact) in self._last.items():
            self._emit_fact(item, fact, name)
        self._last = {}
        return None

    def _take(self, item: Item) -> None:
        """Deal with one item. Done again from the start when a handler asks for more."""
        if item.rejection:
            self._refuse(item, item.rejection)
        elif self._repeated(item):
            return
        elif item.handler is None:
            self._order(item)
        elif self._parked and self._parked[item.lane, item.aggregate]:
            self._park(item, Rejection("parked", f"waits behind a failed message of {item.aggregate}"))
        else:
            self._decide(item)

    def _view(self, ref: Ref) -> State | None:
        try:
            return self._states[ref]
        except KeyError:
            if self._asked >= MOST_ASKED:
                raise RecursionError(f"the message asks for more than {MOST_ASKED} states") from None
            raise NotLoaded(ref) from None

    def _is_condemned(self, item: Item) -> bool:
        return Place(item.record.topic, item.record.partition, item.record.offset) in self.condemned

    def _decide(self, item: Item) -> None:
        if self._is_condemned(item):
            failure: Rejection | None = Rejection("storage_refused", "the database refuses what follows")
            rejection = None
        else:
            failure, rejection = self._try(item)
        if failure:
            self._dead_letter(item, failure)
            self._park(item, failure)
        elif item.inbox_id:
            self._answer(item, rejection)
        elif rejection:
            self._dead_letter(item, rejection)

    def _try(self, item: Item) -> tuple[Rejection | None, Rejection | None]:
        """Handle one message; give (failure, rejection). Its effects are taken only when it ends well."""
        if item.rejection:
            return None, item.rejection  # parked when it could be read, and now it cannot
        assert item.handler
        assert item.meta
        try:
            outcome = item.handler.handle(item.message, item.meta, self._view)
        except NotLoaded:
            raise  # nothing of this message has been taken yet
        except Exception as error:
            self.failed(item.aggregate, error)
            return Rejection("failed", f"{type(error).__name__}: {error}"[:500]), None
        if isinstance(outcome, Rejection):
            return None, outcome
        for fact in outcome.facts:
            entry = BY_CLASS[self.service.name, type(fact)]
            if entry.compacted_by:
                self._last[entry.topic, entry.key_of(fact)] = (item, fact)
            else:
                self._emit_fact(item, fact, entry.key_of(fact))
        for ref, state in outcome.states.items():
            self._states[ref] = state
            self.changes.states.setdefault(ref.kind, {})[ref.key] = state
        for table, row in outcome.rows:
            self.changes.rows.setdefault(table, []).append(row)
        for table, key, amounts in outcome.sums:
            self._add(table, key, amounts)
        return None, None

    def _add(self, table: Table, key: Key, amounts: Sequence[int]) -> None:
        sums = self.changes.sums.setdefault(table, {})
        before = sums.get(key)
        sums[key] = tuple(amounts) if before is None else tuple(map(add, before, amounts))

    def _order(self, item: Item) -> None:
        """Do what an operator asks of an aggregate's parked messages, and say how many are left."""
        place = (item.lane, item.message.aggregate)
        gives_up = isinstance(item.message, DiscardParked)
        if not self._parked[place] and not item.dealt_with:
            self._answer(item, Rejection("nothing_parked", item.message.aggregate))
            return
        if gives_up and not item.dealt_with:
            self._give_up(item, self._to_replay[place][0])
        failure = self._try_again(item, self._to_replay[place])
        left = f"{self._parked[place]} left" if self._parked[place] else ""
        if failure and gives_up:
            self._answer(item, None)  # it was given up, whatever becomes of those behind it
        elif failure:
            self._answer(item, Rejection(failure.code, f"{left}; {failure.detail}"[:500]))
        else:
            self._answer(item, None, left)

    def _try_again(self, order: Item, rows: Sequence[ParkedRow]) -> Rejection | None:
        """Try parked messages in order, up to the first that fails. They leave `rows` as they are decided."""
        if rows and self._is_condemned(order):
            return Rejection("storage_refused", "the database refuses what follows")
        while rows and order.dealt_with < MOST_REPLAYED:
            replay = self._waiting[rows[0].lane, rows[0].position]
            if not self._repeated(replay):
                failure, rejection = self._try(replay)
                if failure:
                    return Rejection(failure.code, f"it failed again: {failure.detail}")
                if replay.inbox_id:
                    self._answer(replay, rejection)
                elif rejection:
                    self._dead_letter(replay, rejection)
            self._unpark(order, rows[0])
        return None

    def _give_up(self, order: Item, row: ParkedRow) -> None:
        """Drop a parked message: it stays a dead letter, and whoever sent it gets the answer it waits for."""
        item = self._waiting[row.lane, row.position]
        if not self._repeated(item):
            why = Rejection("failed", "an operator gave it up")
            if codec.adapter(DeadLetter).validate_json(row.letter).code == "parked":
                self._dead_letter(item, why)  # until now it was kept only here
            if item.inbox_id:
                self._answer(item, why)
        self._unpark(order, row)

    def _unpark(self, order: Item, row: ParkedRow) -> None:
        order.dealt_with += 1
        self._asked = 0  # what is tried next has asked for nothing yet
        self._to_replay[row.lane, row.aggregate].remove(row)
        self._parked[row.lane, row.aggregate] -= 1
        self.changes.unparked.append((row.lane, row.position))
        self.lanes[row.lane].parked -= 1

    def _park(self, item: Item, why: Rejection) -> None:
        position = self._park_position.get(item.lane, 0) + 1
        self._park_position[item.lane] = position
        letter = codec.encode(dead_letter(self.service.name, item.record, why))
        place = (item.lane, item.aggregate)
        row = ParkedRow(item.lane, position, item.aggregate, letter)
        if len(self._to_replay[place]) == self._parked[place]:  # all of them are here: it is the next
            self._to_replay[place].append(row)
            self._waiting[item.lane, position] = item
        self._parked[place] += 1
        self.changes.parked.append(row)
        self.lanes[item.lane].parked += 1
        if item.inbox_id:
            # It is remembered when it is decided: what is sent again meanwhile waits behind it.
            self._outcome(item, Verdict.PARKED, why)

    # -- answering -------------------------------------------------------------------------------

    def _refuse(self, item: Item, rejection: Rejection) -> None:
        """Refuse a message that cannot be taken: a dead letter, and an answer where one can be addressed."""
        self._dead_letter(item, rejection)
        if item.envelope and item.record.topic == commands_topic(self.service.name):
            self._outcome(item, Verdict.REJECTED, rejection)

    def _repeated(self, item: Item) -> bool:
        """Say whether a command was decided before, and give its first answer again if so."""
        first = self._inbox.get((item.lane, item.inbox_id)) if item.inbox_id else None
        if first is None:
            return False
        if first.digest != item.digest:
            self._refuse(item, Rejection("id_reused", "this id was used before, with other content"))
        else:
            code = Rejection(first.code) if first.code else None
            self._outcome(item, Verdict(first.verdict), code, repeated=True)
        return True

    def _answer(self, item: Item, rejection: Rejection | None, detail: str = "") -> None:
        verdict = Verdict.REJECTED if rejection else Verdict.ACCEPTED
        self._remember(item, verdict, rejection.code if rejection else "")
        self._outcome(item, verdict, rejection or (Rejection("", detail) if detail else None))

    def _remember(self, item: Item, verdict: Verdict, code: str) -> None:
        row = InboxRow(item.lane, item.inbox_id, item.digest, verdict.value, code)
        self._inbox[item.lane, item.inbox_id] = row
        self.changes.inbox.append(row)

    def _outcome(
        self, item: Item, verdict: Verdict, why: Rejection | None, *, repeated: bool = False
    ) -> None:
        assert item.envelope
        env = item.envelope
        code, detail = why or ("", "")
        stated = self.lanes[item.lane].emitted.get(f"{facts_topic(self.service.name)}/{item.lane}", 0)
        answer = CommandOutcome(
            env.id,
            env.source,
            env.type,
            self.service.name,
            verdict,
            code,
            detail,
            repeated,
            stated=stated,
            key=item.key[:MOST_KEY_TOLD].decode(errors="replace").replace("\0", ""),
        )
        self._emit(item, answer, item.key, item.lane)

    def _dead_letter(self, item: Item, why: Rejection) -> None:
        letter = dead_letter(self.service.name, *_fitting(item.record, why))
        self._emit(item, letter, item.key, item.lane)

    def _emit_fact(self, item: Item, fact: object, key: str) -> None:
        entry = BY_CLASS[self.service.name, type(fact)]
        lane = lane_of(getattr(fact, entry.key).encode(), self.lane_count)
        self._emit(item, fact, key.encode(), lane)

    def _emit(self, item: Item, message: object, key: bytes, partition: int) -> None:
        """Put a message on the outbox; its lane gives it a position, its destination a sequence."""
        entry = BY_CLASS[self.service.name, type(message)]
        lane = self.lanes[item.lane]
        position, sequence = lane.advance(entry.topic, partition)
        env = item.envelope
        self.changes.outbox.append(
            OutboxRow(
                lane.number,
                position,
                entry.topic,
                partition,
                sequence,
                key,
                entry.type,
                self.recorded_at,
                (env.correlation or env.id) if env else "",
                env.id if env else "",
                env.actor if env else "",
                env.traceparent if env else "",
                codec.encode(message),
            )
        )


def dead_letter(service: str, record: Any, why: Rejection) -> DeadLetter:
    """Wrap a record whole, so that nothing is lost and it can be replayed."""

    def text(data: bytes | None) -> str | None:
        return None if data is None else base64.b64encode(data).decode()

    headers = tuple((str(name), text(value)) for name, value in record.headers)
    return DeadLetter(
        service,
        why.code,
        why.detail,
        record.topic,
        record.partition,
        record.offset,
        text(record.key),
        text(record.value),
        headers,
    )


def _fitting(record: Any, why: Rejection) -> tuple[Any, Rejection]:
    """Leave out of a record what would not fit the topic of dead letters, and say so: it is kept elsewhere.

    What we keep ourselves, to be tried again, is kept whole.
    """
    key, value, headers = len(record.key or b""), len(record.value or b""), _size(record.headers)
    left: dict[str, Any] = {}
    if value > MOST_VALUE_BYTES:
        left["value"] = None
    if key > MOST_BESIDE_BYTES:
        left["key"] = None
    if headers > MOST_BESIDE_BYTES:
        left["headers"] = ()
    if not left:
        return record, why
    whole = Record(record.topic, record.partition, record.offset, record.key, record.value, record.headers)
    sizes = {"value": value, "key": key, "headers": headers}
    what = ", ".join(f"{name} of {sizes[name]} bytes" for name in left)
    where = f"{record.topic}/{record.partition}/{record.offset}"
    return whole._replace(**left), Rejection(why.code, f"{why.detail} (left at {where}: {what})")


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


def record_of(letter: bytes) -> Record:
    """Unwrap the record of an encoded dead letter."""
    found: DeadLetter = codec.adapter(DeadLetter).validate_json(letter)

    def data(text: str | None) -> bytes | None:
        return None if text is None else base64.b64decode(text)

    headers = tuple((name, data(value)) for name, value in found.headers)
    return Record(found.topic, found.partition, found.offset, data(found.key), data(found.value), headers)
