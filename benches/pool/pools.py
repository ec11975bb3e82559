"""Runs tasks in Python's pools as often as asked, and tells how long that took.

Each line of the input is a name and a number; the answer is nanoseconds.
"""

import concurrent.futures
import multiprocessing
import sys
from time import perf_counter, perf_counter_ns

WORKERS = 2
FORK = multiprocessing.get_context("fork")

try:
    import loky
except ImportError:
    try:
        from joblib.externals import loky
    except ImportError:
        loky = None


def tiny(number):
    return number + 1


def busy(millis):
    end = perf_counter() + millis / 1000
    while perf_counter() < end:
        pass


class Pool:
    """multiprocessing.Pool"""

    def start(self):
        self.pool = FORK.Pool(WORKERS)
        return self

    def end(self):
        self.pool.terminate()
        self.pool.join()

    def one(self, count):
        for _ in self.pool.imap(tiny, range(count), chunksize=1):
            pass

    def chunks(self, count):
        self.pool.map(tiny, range(count))

    def long(self, count):
        for _ in range(count):
            self.pool.map(busy, [5] * 64, chunksize=1)

    def run(self, count):
        for _ in range(count):
            self.pool.apply(tiny, (1,))

    def first(self):
        self.pool.map(tiny, [1, 2], chunksize=1)


class Executor:
    """concurrent.futures.ProcessPoolExecutor"""

    def start(self):
        self.pool = concurrent.futures.ProcessPoolExecutor(WORKERS, mp_context=FORK)
        return self

    def end(self):
        self.pool.shutdown()

    def one(self, count):
        for task in [self.pool.submit(tiny, number) for number in range(count)]:
            task.result()

    def chunks(self, count):
        for _ in self.pool.map(tiny, range(count), chunksize=max(1, count // (4 * WORKERS))):
            pass

    def long(self, count):
        for _ in range(count):
            list(self.pool.map(busy, [5] * 64))

    def run(self, count):
        for _ in range(count):
            self.pool.submit(tiny, 1).result()

    def first(self):
        list(self.pool.map(tiny, [1, 2]))


class Loky(Executor):
    """loky.ProcessPoolExecutor"""

    def start(self):
        self.pool = loky.ProcessPoolExecutor(WORKERS)
        return self


KINDS = {"pool": Pool, "executor": Executor, "loky": Loky}


def starts(kind, count):
    """Starts with the first results; the end of a pool is not counted."""
    total = 0
    for _ in range(count):
        begin = perf_counter_ns()
        pool = KINDS[kind]().start()
        pool.first()
        total += perf_counter_ns() - begin
        pool.end()
    return total


def main():
    pools = {}
    version = ".".join(map(str, sys.version_info[:3]))
    print(version, "with loky" if loky else "without loky", flush=True)
    for request in sys.stdin:
        name, count = request.split()
        kind, work = name.split("-")
        count = int(count)
        if work == "start":
            print(starts(kind, count), flush=True)
            continue
        if kind not in pools:
            pools[kind] = KINDS[kind]().start()
        work = getattr(pools[kind], work)
        begin = perf_counter_ns()
        work(count)
        print(perf_counter_ns() - begin, flush=True)
    for pool in pools.values():
        pool.end()


main()
