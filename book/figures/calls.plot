title Calls of an object in a manager
from benches/recorded/manager.txt
row dict get
as Look up in a dictionary
also Python: Python dict get
row dict set
as Put into a dictionary
also Python: Python dict set
row list append
as Append to a list
also Python: Python list append
row dict get, 2 processes
as Look up, two processes at a time, per call
also Python: Python dict get, 2 processes
