import sys

visible = 1
_hidden = 2
__dunder__ = 3
