title Primitives that nobody else uses at the moment
from benches/recorded/sync.txt
row Mutex: lock, unlock
as Mutex: lock and unlock
row ReentrantMutex: nested
as ReentrantMutex, once more
row Value: get
row Value: update
row Semaphore: acquire, release
as Semaphore: acquire and release
row Event: is_set
