import ring.fine
def ask(): return ring.fine.name
