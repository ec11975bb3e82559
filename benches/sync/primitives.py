"""Runs primitives of multiprocessing as often as asked, and tells how long that took.

Each line of the input is a name and a number; the answer is nanoseconds. A name that begins with "two" is for this process and
another one, which do the same at the same time.
"""

import multiprocessing
import os
import sys
from time import perf_counter_ns

FORK = multiprocessing.get_context("fork")
PROCESSORS = os.sched_getaffinity(0)

lock, rlock, semaphore = FORK.Lock(), FORK.RLock(), FORK.Semaphore(1)
event, value, barrier = FORK.Event(), FORK.Value("Q", 0), FORK.Barrier(2)
condition, turn = FORK.Condition(), FORK.RawValue("i", 0)
balls = [FORK.Event(), FORK.Event()]


def take(primitive):
    acquire, release = primitive.acquire, primitive.release

    def work(count, _me):
        for _ in range(count):
            acquire()
            release()

    return work


def nested(count, me):
    with rlock:
        take(rlock)(count, me)


def set_clear(count, _me):
    for _ in range(count):
        event.set()
        event.clear()


def is_set(count, _me):
    for _ in range(count):
        event.is_set()


def get(count, _me):
    for _ in range(count):
        value.value


def update(count, _me):
    for _ in range(count):
        with value.get_lock():
            value.value += 1


def cross(count, _me):
    for _ in range(count):
        barrier.wait()


def hand_over_event(count, me):
    mine, other = balls[me], balls[1 - me]
    for _ in range(count):
        if me == 0:
            other.set()
            mine.wait()
            mine.clear()
        else:
            mine.wait()
            mine.clear()
            other.set()


def hand_over_condition(count, me):
    for _ in range(count):
        with condition:
            while turn.value != me:
                condition.wait()
            turn.value = 1 - me
            condition.notify()


WORK = {
    "lock": take(lock),
    "rlock": take(rlock),
    "rlock-nested": nested,
    "semaphore": take(semaphore),
    "event": set_clear,
    "event-is-set": is_set,
    "value-get": get,
    "value-update": update,
    "two-lock": take(lock),
    "two-semaphore": take(semaphore),
    "two-value-update": update,
    "two-barrier": cross,
    "two-event": hand_over_event,
    "two-condition": hand_over_condition,
}


class Partner:
    """Another process that joins in one kind of work."""

    def __init__(self, work):
        self.work = work
        self.go = FORK.RawValue("Q", 0)
        self.line, line = FORK.Pipe()
        FORK.Process(target=self.accompany, args=(line,), daemon=True).start()

    def accompany(self, line):
        os.sched_setaffinity(0, {max(PROCESSORS)})
        round = 0
        while True:
            count = int.from_bytes(line.recv_bytes(), "little")
            round += 1
            line.send_bytes(b"ready")
            while self.go.value != round:
                pass
            self.work(count, 1)
            line.send_bytes(b"done")

    def run(self, count):
        os.sched_setaffinity(0, {min(PROCESSORS)})
        try:
            return self.take_turn(count)
        finally:
            os.sched_setaffinity(0, PROCESSORS)

    def take_turn(self, count):
        self.line.send_bytes(count.to_bytes(8, "little"))
        self.line.recv_bytes()
        begin = perf_counter_ns()
        self.go.value += 1
        self.work(count, 0)
        self.line.recv_bytes()
        return perf_counter_ns() - begin


def alone(work, count):
    begin = perf_counter_ns()
    work(count, 0)
    return perf_counter_ns() - begin


def main():
    partners = {}
    print(".".join(map(str, sys.version_info[:3])), flush=True)
    for request in sys.stdin:
        name, count = request.split()
        work, count = WORK[name], int(count)
        if name.startswith("two"):
            if name not in partners:
                partners[name] = Partner(work)
            print(partners[name].run(count), flush=True)
        else:
            print(alone(work, count), flush=True)


main()
