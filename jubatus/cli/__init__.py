"""Commands.

Ctrl-C ends them without a trace from the first line on, also while they still load what they need.
"""

import os
import signal
import sys

if os.path.basename(sys.argv[0]).startswith("juba") and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
