# Random operations on sets of ints, with the order CPython shows after each.
import random
def show(s): return ",".join(map(str,s))
random.seed(7)
out=[]
for case in range(60):
    a=set(); b=set()
    span=random.choice([8,20,100,1000,10**6,2**40])
    steps=[]
    for _ in range(random.choice([5,20,60,200])):
        op=random.choice("aaaaaarrpbbbUDIXZ" if span<=100 else "aaaaaaaarpbbbbUD")
        x=random.randint(-span//4,span)
        if op=='a': a.add(x)
        elif op=='b': b.add(x)
        elif op=='r': a.discard(x)
        elif op=='p':
            if a: a.pop()
        elif op=='U': a|=b
        elif op=='D': a=a-b
        elif op=='I': a=a&b
        elif op=='X': a=a^b
        elif op=='Z': a-=b
        steps.append(f"{op}{x}")
    out.append(" ".join(steps)+"|"+show(a)+"|"+show(b))
print("\n".join(out))
