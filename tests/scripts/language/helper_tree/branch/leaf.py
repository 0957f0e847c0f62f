print("leaf runs", __name__)
from ..lazy import name


def fall():
    return "leaf falls, " + name
