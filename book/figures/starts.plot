title Start of a process, and its result
from benches/recorded/start.txt
row ForkServer
