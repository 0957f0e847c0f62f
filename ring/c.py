from ring import d
value = 1
