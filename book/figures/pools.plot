title Tasks in a pool of two workers
from benches/recorded/pool.txt
row tiny tasks, one by one: imap
as Tiny tasks one by one, per task
row 2^20 tiny tasks, in chunks
as A million tiny tasks, per task
row a tiny task, there and back
as A tiny task, there and back
row start, and the first results
as Start of a pool, and its first results
