title Messages from one process to another
from benches/recorded/channel.txt
row 64 B
as 64 bytes
row 1 KiB
also Python: Python Queue, 1024 B
row 64 KiB
also Python: Python Queue, 65536 B
