import ring.also
name = 'fine'
