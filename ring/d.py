from ring import c
print(c.value)
