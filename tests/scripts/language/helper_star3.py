__all__ = ("_listed",)
_listed = "by __all__"
not_listed = 1
