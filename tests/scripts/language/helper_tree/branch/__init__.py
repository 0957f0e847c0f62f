print("branch runs", __name__)
from .. import top
from .leaf import fall


def up():
    return top, fall()
