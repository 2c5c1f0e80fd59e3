import wengert as torch
x=torch.ones(9,5,requires_grad=True)
y=x+2
print(x)
print(y)
z=3*y*y
out=z.mean()
print(z)
print(out)
out.backward(retain_graph=True)
print(x.grad)
v=torch.ones(9,5)
z.backward(v)
print(x.grad)
