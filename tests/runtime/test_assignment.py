"""Where reading goes on after a seek, a swallowed poll, a hole, or a topic that begins anew."""

from typing import Any

from aiokafka import TopicPartition

from services.runtime.assignment import Assignment
from services.runtime.batch import Record
from services.runtime.logs import set_up_logs
from services.runtime.memory_store import MemoryStore
from services.runtime.telemetry import Telemetry

TOPIC = "ar.payments.commands.v1"
PLACE = TopicPartition(TOPIC, 0)


class Consumer:
    """Notes what is asked of a consumer; what Kafka would answer is given by each test."""

    def __init__(self) -> None:
        self.sought: list[tuple[TopicPartition, int]] = []
        self.paused: list[TopicPartition] = []

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition, offset))

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused += partitions

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}


class Subscriber:
    consumer = Consumer()


def reading_from(offset: int) -> tuple[Assignment, Consumer]:
    outbox: Any = None
    assignment = Assignment(MemoryStore(), outbox, Telemetry("payments"), set_up_logs("error"))
    assignment.subscriber = Subscriber()
    assignment.subscriber.consumer = consumer = Consumer()
    assignment.ready = {0}
    assignment.read_to = {PLACE: offset}
    return assignment, consumer


def records(*offsets: int) -> list[Record]:
    return [Record(TOPIC, 0, offset, None, b"", ()) for offset in offsets]


def test_records_that_go_on_are_taken() -> None:
    assignment, consumer = reading_from(100)
    assert assignment.accept(records(100, 101)) == records(100, 101)
    assert consumer.sought == []


def test_records_of_a_lane_that_is_not_ready_are_left() -> None:
    assignment, _ = reading_from(100)
    assignment.ready = set()
    assert assignment.accept(records(100)) == []


def test_a_poll_that_skipped_records_is_refused_and_read_again_from_where_it_should_have_gone_on() -> None:
    assignment, consumer = reading_from(100)
    assert assignment.accept(records(150, 151)) == []
    assert consumer.sought == [(PLACE, 100)]
    assert assignment.accept(records(100, 101)) == records(100, 101)


def test_a_hole_that_is_there_the_second_time_too_is_kafkas_own_and_is_passed() -> None:
    assignment, consumer = reading_from(100)
    assert assignment.accept(records(102)) == []
    assert assignment.accept(records(102)) == records(102)
    assert consumer.sought == [(PLACE, 100)]
    assert assignment.halted == {}


def test_a_topic_that_begins_anew_halts_the_lane() -> None:
    assignment, consumer = reading_from(100)
    assert assignment.accept(records(0, 1)) == []
    assert assignment.accept(records(0, 1)) == []
    assert "goes back from 100 to 0" in assignment.halted[0]
    assert consumer.paused == [PLACE]
    assert assignment.ready == set()
