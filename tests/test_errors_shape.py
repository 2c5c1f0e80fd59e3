"""Messages of the ops on shapes and indices, and PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x, float32 of shape (3, 4), z, the same in int64, and leaf, which is x
# and requires grad; I makes tensors.
SAME_MESSAGE = """
x[5]
x[-4]
x[0,0,0]
x[0][0][0]
x[:,5]
x[1.0]
x[::-1]
x[::0]
x[I([5])]
x[I([1.])]
x[[5]]
x[[0,1],[0,1,2]]
x[I([True, False])]
x[I([[True, False]])]
x[I([0]),I([0]),I([0])]
x.view(5)
x.view(-1,-1)
x.view(-1,5)
x.view(-2)
x.T.view(12)
x.reshape(5)
x.reshape(-1,-1)
x.permute(0)
x.permute(0,0)
x.permute(0,2)
x.transpose(0,2)
x.unsqueeze(4)
x.squeeze(3)
x.squeeze((0,0))
x.expand(2)
x.expand(2,5,4)
x.expand(-1,3,4)
torch.cat([])
torch.cat([x,x[0]])
torch.cat([x,x.T])
torch.cat(x)
torch.cat([x,1])
torch.cat([x],2)
torch.stack([])
torch.stack([x,x.T])
x.split(0)
x.split(-1)
x.split([1,1])
x.split([1,3])
x.split(2,3)
x.chunk(0)
x.unbind(3)
I(1.).unbind()
torch.cat([I(1.),I(2.)])
x.gather(2,I([[0]]))
x.gather(0,I([0]))
x.gather(0,I([[5]]))
x.gather(0,I([[0.]]))
x.gather(0,torch.zeros(4,5,dtype=torch.long))
x.index_select(0,I([5]))
x.index_select(0,I([[0]]))
x.index_select(0,I([0.]))
x.masked_fill(I([1,0,0,0]),0.)
x.masked_fill(x>0,I([1.,2.]))
x.flatten(1,0)
x.flatten(3)
x.unflatten(0,(2,2))
torch.zeros(1,1,1).t()
torch.zeros(3).mT
x.movedim((0,1),(0,0))
x.narrow(0,2,2)
x.narrow(0,5,1)
x.narrow(0,0,-1)
x.select(0,5)
len(I(1.))
list(I(1.))
I(1.)[0]
I(1.)[:]
'a' in x
torch.broadcast_shapes((2,3),(3,2))
x.repeat(2)
x.flip(0,0)
x.flip(3)
x.roll((1,2),0)
x.roll(1,5)
x.as_strided((5,5),(5,5))
x.as_strided((2,),(-1,))
x.unfold(0,5,1)
x.unfold(0,1,0)
z.scatter(0,I([[5]]),1)
x.scatter(0,I([[0]]),I([[1]]))
x.scatter(0,I([0]),I([[1.]]))
x.scatter(0,I([[0,0]]),I([[1.]]))
x.scatter(0,I([[0.]]),I([[1.]]))
x.scatter_add(0,I([[7]]),I([[1.]]))
x.scatter_add(0,I([[0]]),I([[1]]))
x.scatter(0,I([[0]]),1,reduce='foo')
x.scatter_reduce(0,I([[0]]),I([[1.]]),'foo')
x.scatter_reduce(0,I([[0]]),I([[1]]),'sum')
x.index_add(0,I([5]),x[:1])
x.index_add(0,I([0,1]),x[:1])
x.index_add(0,I([0]),z[:1])
x.index_add(0,I([[0]]),x[:1])
x.index_add(0,I([0.]),x[:1])
x.index_copy(0,I([5]),x[:1])
x.index_copy(0,I([-1]),x[:1])
x.index_copy(0,I([0]),z[:1])
x.index_copy(0,I([0,1]),x[:1])
x.index_fill(0,I([5]),0.)
x.index_fill(0,I([0]),I([1.]))
x.index_fill(0,I([0.]),1)
z.index_put((I([0]),),I(1.5))
z.index_put((I([0]),),I([1,2]))
z.index_put((I([5]),),I(1))
x.index_reduce(0,I([0]),x[:1],'sum')
x.take(I([12]))
x.take(I([0.]))
x.put(I([12]),I([1.]))
x.put(I([1]),I([1]))
x.put(I([1,2]),I([1.]))
x.masked_select(I([1,0,1,0]))
x.masked_scatter(x>3,I([1.]))
torch.embedding(x,I([5]))
torch.embedding(x,I([0.]))
torch.nn.functional.one_hot(I([1,2]),2)
torch.nn.functional.one_hot(I([-1,2]))
torch.nn.functional.one_hot(I([1.,2]))
torch.nn.functional.one_hot(I([],dtype=torch.long))
torch.searchsorted(I([1,3,5]),I([4,3]),side='left',right=True)
torch.searchsorted(I([[1,3,5],[2,4,6]]),I([4]))
torch.bucketize(I([4,3]),I([[1,3,5]]))
torch.diag(torch.zeros(1,1,1))
torch.diag_embed(I([1,2]),dim1=0,dim2=0)
torch.diagonal(x,dim1=0,dim2=0)
torch.tril(I([1,2]))
torch.trace(I([1,2]))
torch.block_diag(I([[[1]]]))
torch.meshgrid(I([1,2]),I([3]),indexing='zz')
torch.combinations(I([[1]]))
torch.hsplit(z,3)
torch.hsplit(I(1),1)
torch.vsplit(z,2)
torch.vsplit(I([1]),1)
torch.dsplit(z,1)
x.repeat_interleave(I([1,2]),0)
x.repeat_interleave(I([1.,2]),0)
x.repeat_interleave(-1)
x.rot90(1,(0,0))
x.rot90(1,(0,))
I([1]).fliplr()
I(1).flipud()
x.roll(())
torch.nn.functional.pad(x,(1,))
torch.nn.functional.pad(x,(1,2,3,4,5,6))
torch.nn.functional.pad(x,(4,1),mode='reflect')
torch.nn.functional.pad(x,(5,1),mode='circular')
torch.nn.functional.pad(x,(1,1,1,1),mode='reflect')
torch.nn.functional.pad(x,(1,1),mode='foo')
torch.nn.functional.pad(x,(1,1),mode='reflect',value=1.)
torch.nn.functional.pad(x,(-5,-5))
torch.nn.functional.pad(torch.zeros(3,3),(1,1,1,1),mode='circular').shape
torch.select_scatter(x,x[0],0,5)
torch.select_scatter(x,x,0,1)
torch.slice_scatter(x,x[0],0,0,1)
torch.diagonal_scatter(x,x[0])
torch.zeros(3,3).view(torch.float64)
torch.zeros(3,4).T.view(torch.float64)
torch.zeros(()).view(torch.float64)
x.size(5)
x.stride(5)
x.sum_to_size(5)
x.expand(3,4,5)
x.unflatten(-1,())
torch.take_along_dim(x,I([0]),0)
x.__setitem__(5, 1.0)
x.__setitem__((0, 0, 0), 1)
x.__setitem__(0, I([1.0, 2.0]))
x.__setitem__(I([5]), 1.0)
x.__setitem__(z > 5, I([1.0, 2.0]))
x.__setitem__(I([0, 1]), I([1.0, 2.0, 3.0]))
x.__setitem__(0, [1, 2, 3, 4])
x.__setitem__(0, 1j)
x.__setitem__(0, 'a')
x.__setitem__(1.5, 1)
x.expand(2, 3, 4)[:, 0].__setitem__(..., 1.0)
leaf.__setitem__(0, 1.0)
leaf.unsqueeze_(0)
leaf[0].mul_(2)
leaf.resize_(2)
(leaf * 1).unbind()[0].mul_(2)
(leaf * 1).split(2)[1].__setitem__(0, 0.0)
"""
SAME_TYPE = """
x.view(2.0,6)
x.view('a')
x.view()
x.masked_fill(I([True, False]),0.)
x.unflatten(0,(-1,-1))
torch.broadcast_tensors(x,x.T)
z.masked_fill(z>3,1j)
x.masked_scatter(x>3,z)
torch.meshgrid(I([1,2]),I([[3]]),indexing='xy')
"""


def complaint(library: Any, expression: str) -> tuple[type[BaseException], str]:
    """Return the type of the error that an expression raises, and its first line."""
    whole = library.arange(12).reshape(3, 4)
    names = {
        "torch": library,
        "I": library.tensor,
        "z": whole,
        "x": whole.to(library.float32),
        "leaf": whole.to(library.float32).requires_grad_(),
    }
    with pytest.raises(Exception) as caught:
        eval(expression, names)
    return caught.type, str(caught.value).partition("\n")[0]


@pytest.mark.parametrize("expression", SAME_MESSAGE.strip().splitlines())
def test_same_message(expression: str) -> None:
    assert complaint(wengert, expression) == complaint(torch, expression)


@pytest.mark.parametrize("expression", SAME_TYPE.strip().splitlines())
def test_same_type(expression: str) -> None:
    """PyTorch's message speaks of its C++ there, or is not the same for all ops."""
    assert complaint(wengert, expression)[0] is complaint(torch, expression)[0]
