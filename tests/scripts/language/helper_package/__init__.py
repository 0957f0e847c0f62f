from .inner import deep as _deep
from . import inner

constant = "package " + _deep()
