from .a import early
late = 2
