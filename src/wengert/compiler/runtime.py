"""The part of compiled code that is the same for every program, as LLVM IR.

It is made of the worker threads (`workers`), of what decides whether they take part
(`balance`), and of ``enter``, which runs a whole program: it checks the arrays against
what the program was compiled for, fills in their addresses and runs the launches. So a
replay is one foreign call, and each program brings only its own kernels.

The memory layouts (all fields are 8 bytes) are written by `tables`:

- launch:  kernel, args, chunks, scratch, scratch bytes a thread, who runs it: 0 all
  threads, 1 the caller alone, 2 the caller and those workers that are not asleep
- batch (``batched`` as the kernel): for each chunk: kernel, args, chunk
- stretch: launches, pointer; how many; whether sharing has to pay; and what is learnt:
  the least time alone, the balance, how many lessons are left
- binding: what (0 an array, 1 a float, 2 an unchecked array), type, dtype object, rank,
  required flags, pointer to the shape and strides, pointer to the slot of its address,
  the place of a float's value
- patch:   where to write, pointer to the slot of an address, bytes to add
- program: inputs, bindings of inputs; outputs, bindings of outputs; patches, pointer;
  the first stretch, pointer; error flag
"""

from __future__ import annotations

from .balance import POLICY
from .workers import POOL

ENTRY = """
; --- binding arrays and running a program --------------------------------------------
define internal ptr @field(ptr %base, i64 %index) alwaysinline {
  %p = getelementptr i64, ptr %base, i64 %index
  %v = load ptr, ptr %p
  ret ptr %v
}

define internal i64 @word(ptr %base, i64 %index) alwaysinline {
  %p = getelementptr i64, ptr %base, i64 %index
  %v = load i64, ptr %p
  ret i64 %v
}

; whether an array's shape and strides are the expected ones (%want: rank shapes, then
; rank strides; the stride of a dim of size one does not matter)
define internal i1 @fits(ptr %object, ptr %want, i64 %rank) {
  %p1 = getelementptr i8, ptr %object, i64 ARRAY_SHAPE
  %shape = load ptr, ptr %p1
  %p2 = getelementptr i8, ptr %object, i64 ARRAY_STRIDES
  %strides = load ptr, ptr %p2
  %none = icmp eq i64 %rank, 0
  br i1 %none, label %yes, label %loop
loop:
  %d = phi i64 [ 0, %0 ], [ %d1, %next ]
  %n = call i64 @word(ptr %shape, i64 %d)
  %n_want = call i64 @word(ptr %want, i64 %d)
  %same = icmp eq i64 %n, %n_want
  br i1 %same, label %stride, label %no
stride:
  %s = call i64 @word(ptr %strides, i64 %d)
  %at = add i64 %d, %rank
  %s_want = call i64 @word(ptr %want, i64 %at)
  %same_stride = icmp eq i64 %s, %s_want
  %single = icmp ule i64 %n, 1
  %fine = or i1 %same_stride, %single
  br i1 %fine, label %next, label %no
next:
  %d1 = add i64 %d, 1
  %more = icmp ult i64 %d1, %rank
  br i1 %more, label %loop, label %yes
yes:
  ret i1 true
no:
  ret i1 false
}

; put the address of one object's data into its slot; false where it does not fit
define internal i1 @bind(ptr %object, ptr %binding) {
  %what = call i64 @word(ptr %binding, i64 0)
  %type_want = call i64 @word(ptr %binding, i64 1)
  %p_type = getelementptr i8, ptr %object, i64 OBJECT_TYPE
  %type = load i64, ptr %p_type
  %typed = icmp eq i64 %type, %type_want
  %slot = call ptr @field(ptr %binding, i64 6)
  br i1 %typed, label %kind, label %no
kind:
  %number = icmp eq i64 %what, 1
  br i1 %number, label %float, label %array
float:
  %p_value = getelementptr i8, ptr %object, i64 OBJECT_SIZE
  %value = load double, ptr %p_value
  %place = call ptr @field(ptr %binding, i64 7)
  store double %value, ptr %place
  store ptr %place, ptr %slot
  ret i1 true
array:
  %p_data = getelementptr i8, ptr %object, i64 ARRAY_DATA
  %data = load ptr, ptr %p_data
  store ptr %data, ptr %slot
  %unchecked = icmp eq i64 %what, 2
  br i1 %unchecked, label %yes, label %check_dtype
check_dtype:
  %p_dtype = getelementptr i8, ptr %object, i64 ARRAY_DTYPE
  %dtype = load i64, ptr %p_dtype
  %dtype_want = call i64 @word(ptr %binding, i64 2)
  %same = icmp eq i64 %dtype, %dtype_want
  br i1 %same, label %check_rank, label %no
check_rank:
  %p_rank = getelementptr i8, ptr %object, i64 ARRAY_RANK
  %rank32 = load i32, ptr %p_rank
  %rank = sext i32 %rank32 to i64
  %rank_want = call i64 @word(ptr %binding, i64 3)
  %same_rank = icmp eq i64 %rank, %rank_want
  br i1 %same_rank, label %flags, label %no
flags:
  %p_flags = getelementptr i8, ptr %object, i64 ARRAY_FLAGS
  %flags32 = load i32, ptr %p_flags
  %flags64 = sext i32 %flags32 to i64
  %required = call i64 @word(ptr %binding, i64 4)
  %present = and i64 %flags64, %required
  %all = icmp eq i64 %present, %required
  br i1 %all, label %check_shape, label %no
check_shape:
  %want = call ptr @field(ptr %binding, i64 5)
  %fits = call i1 @fits(ptr %object, ptr %want, i64 %rank)
  ret i1 %fits
yes:
  ret i1 true
no:
  ret i1 false
}

; bind a tuple of objects; the place of the first that does not fit, plus one, or 0
define internal i64 @bind_all(ptr %tuple, i64 %count, ptr %bindings) {
  %items = getelementptr i8, ptr %tuple, i64 TUPLE_ITEMS
  %none = icmp eq i64 %count, 0
  br i1 %none, label %ok, label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %i1, %next ]
  %object = call ptr @field(ptr %items, i64 %i)
  %binding = getelementptr [8 x i64], ptr %bindings, i64 %i
  %bound = call i1 @bind(ptr %object, ptr %binding)
  %i1 = add i64 %i, 1
  br i1 %bound, label %next, label %bad
next:
  %more = icmp ult i64 %i1, %count
  br i1 %more, label %loop, label %ok
bad:
  ret i64 %i1
ok:
  ret i64 0
}

define i64 @prepare(ptr %program, ptr %inputs, ptr %outputs) {
  %n_in = call i64 @word(ptr %program, i64 0)
  %in = call ptr @field(ptr %program, i64 1)
  %bad_in = call i64 @bind_all(ptr %inputs, i64 %n_in, ptr %in)
  %ok_in = icmp eq i64 %bad_in, 0
  br i1 %ok_in, label %results, label %fail
fail:
  ret i64 %bad_in
results:
  %n_out = call i64 @word(ptr %program, i64 2)
  %out = call ptr @field(ptr %program, i64 3)
  %r = call i64 @bind_all(ptr %outputs, i64 %n_out, ptr %out)
  %n = call i64 @word(ptr %program, i64 4)
  %patches = call ptr @field(ptr %program, i64 5)
  %none = icmp eq i64 %n, 0
  br i1 %none, label %done, label %loop
loop:
  %i = phi i64 [ 0, %results ], [ %i1, %loop ]
  %patch = getelementptr [3 x i64], ptr %patches, i64 %i
  %where = call ptr @field(ptr %patch, i64 0)
  %slot = call ptr @field(ptr %patch, i64 1)
  %offset = call i64 @word(ptr %patch, i64 2)
  %address = load ptr, ptr %slot
  %final = getelementptr i8, ptr %address, i64 %offset
  store ptr %final, ptr %where
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 0
}

; 0, or the place of an input that does not fit, or minus an error
define i64 @enter(ptr %program, ptr %inputs, ptr %outputs) {
  %bad = call i64 @prepare(ptr %program, ptr %inputs, ptr %outputs)
  %ok = icmp eq i64 %bad, 0
  br i1 %ok, label %go, label %fail
fail:
  ret i64 %bad
go:
  %stretch = call ptr @field(ptr %program, i64 6)
  %error = call i64 @replay(ptr %program, ptr %stretch)
  %negative = sub i64 0, %error
  ret i64 %negative
}
"""


def runtime_ir(fields: dict[str, int], pause: str, constants: dict[str, int]) -> str:
    """The runtime's module; ``fields`` are offsets in CPython's objects."""
    text = POOL + POLICY + ENTRY
    for name, number in (fields | constants).items():
        text = text.replace(name, str(number))
    return text.replace("PAUSE", pause)
