title Messages from one process to another
from benches/recorded/channel.txt
row 64 B
as 64 bytes
row 1 KiB
row 64 KiB
