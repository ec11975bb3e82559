title Two processes that use one primitive at the same time
from benches/recorded/sync.txt
row Mutex: two processes, per hold
as Mutex, per hold
row Semaphore: two processes, one permit, per hold
as Semaphore of one, per hold
row RwLock: two processes, per read
as RwLock, per read
row Barrier: two processes, per crossing
as Barrier, per crossing
row Event: two processes, per hand-over
as Event, per hand-over
row Condvar: two processes, per hand-over
as Condvar, per hand-over
row Mutex: from SIGKILL of the holder to the next
as Mutex, from SIGKILL to the next
