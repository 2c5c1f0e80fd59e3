"""The part of compiled code that is the same for every program, as LLVM IR.

Two things live here: the worker threads, and ``enter``, which runs a whole program: it
checks the arrays against what the program was compiled for, fills in their addresses
and runs the launches. So a replay is one foreign call, and each program brings only its
own kernels.

A kernel is ``void kernel(ptr args, i64 chunk, ptr scratch)``. A *launch* runs a kernel
on chunks ``0 .. n-1``, in any order, on any thread; how work is cut into chunks never
depends on the number of threads, so neither do results.

The memory layouts (all fields are 8 bytes) are written by `program`:

- launch:  kernel, args, chunks, scratch, scratch bytes a thread, who runs it: 0 all
  threads, 1 the caller alone, 2 the caller and those workers that are not asleep
- batch (``batched`` as the kernel): for each chunk: kernel, args, chunk
- binding: what (0 an array, 1 a float, 2 an unchecked array), type, dtype object, rank,
  required flags, pointer to the shape and strides, pointer to the slot of its address,
  the place of a float's value
- patch:   where to write, pointer to the slot of an address, bytes to add
- program: inputs, bindings of inputs; outputs, bindings of outputs; patches, pointer;
  launches, pointer; error flag
"""

from __future__ import annotations

POOL = """
; --- worker threads ------------------------------------------------------------------
; The ticket packs an epoch, the number of chunks and the next chunk (24, 20, 20 bits):
; one atomic addition claims a chunk, and tells whether there was one. A job's fields
; are stable while a claimed chunk of it has not been counted in @done.
@ticket = internal global i64 0, align 64
@done = internal global i64 0, align 64
@job = internal global [4 x i64] zeroinitializer, align 64
@sleepers = internal global i64 0, align 64
@busy = internal global i32 0, align 64
@workers = internal global i64 0
@wary = internal global i64 0
@mutex = internal global [16 x i64] zeroinitializer, align 64
@wakeup = internal global [16 x i64] zeroinitializer, align 64

declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sched_yield()

; take chunks of the current job until none is left
define internal void @take_chunks(i64 %thread) {
  br label %look
look:
  %seen = load atomic i64, ptr @ticket seq_cst, align 8
  %next0 = and i64 %seen, 1048575
  %all0 = lshr i64 %seen, 20
  %all1 = and i64 %all0, 1048575
  %any = icmp ult i64 %next0, %all1
  br i1 %any, label %claim, label %out
claim:
  %got = atomicrmw add ptr @ticket, i64 1 seq_cst
  %next = and i64 %got, 1048575
  %all2 = lshr i64 %got, 20
  %all = and i64 %all2, 1048575
  %valid = icmp ult i64 %next, %all
  br i1 %valid, label %work, label %out
work:
  %kernel = load ptr, ptr @job
  %args = load ptr, ptr getelementptr (i64, ptr @job, i64 1)
  %scratch0 = load ptr, ptr getelementptr (i64, ptr @job, i64 2)
  %each = load i64, ptr getelementptr (i64, ptr @job, i64 3)
  %offset = mul i64 %each, %thread
  %scratch = getelementptr i8, ptr %scratch0, i64 %offset
  call void %kernel(ptr %args, i64 %next, ptr %scratch)
  %counted = atomicrmw add ptr @done, i64 1 seq_cst
  br label %look
out:
  ret void
}

; spin for a while, then sleep until there is a job
define internal ptr @worker(ptr %id) {
  %thread = ptrtoint ptr %id to i64
  %mask = alloca [16 x i64], align 8
  call void @llvm.memset.p0.i64(ptr %mask, i8 -1, i64 128, i1 false)
  %r0 = call i32 @pthread_sigmask(i32 SIG_BLOCK, ptr %mask, ptr null)
  br label %serve
serve:
  call void @take_chunks(i64 %thread)
  br label %spin
spin:
  %i = phi i64 [ 0, %serve ], [ %i1, %count ]
  %t = load atomic i64, ptr @ticket seq_cst, align 8
  %found = call i1 @has_chunk(i64 %t)
  br i1 %found, label %serve, label %still
still:
  PAUSE
  %i1 = add i64 %i, 1
  %low = and i64 %i1, 63
  %polite = icmp eq i64 %low, 0
  br i1 %polite, label %offer, label %count
offer:  ; the CPU to whoever else is to run on it
  %r0_ = call i32 @sched_yield()
  br label %count
count:
  %go_on = icmp ult i64 %i1, SPINS
  br i1 %go_on, label %spin, label %sleep
sleep:
  %r1 = call i32 @pthread_mutex_lock(ptr @mutex)
  %r2 = atomicrmw add ptr @sleepers, i64 1 seq_cst
  br label %check
check:
  %t2 = load atomic i64, ptr @ticket seq_cst, align 8
  %found2 = call i1 @has_chunk(i64 %t2)
  br i1 %found2, label %awake, label %wait
wait:
  %r3 = call i32 @pthread_cond_wait(ptr @wakeup, ptr @mutex)
  br label %check
awake:
  %r4 = atomicrmw sub ptr @sleepers, i64 1 seq_cst
  %r5 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %serve
}

define internal i1 @has_chunk(i64 %ticket) alwaysinline {
  %next = and i64 %ticket, 1048575
  %all0 = lshr i64 %ticket, 20
  %all = and i64 %all0, 1048575
  %any = icmp ult i64 %next, %all
  ret i1 %any
}

; start workers until there are %count; returns how many there are
define i64 @start_workers(i64 %count) {
  %handle = alloca i64
  br label %more
more:
  %have = load i64, ptr @workers
  %enough = icmp uge i64 %have, %count
  br i1 %enough, label %out, label %create
create:
  %id = add i64 %have, 1
  %argument = inttoptr i64 %id to ptr
  %failed = call i32 @pthread_create(ptr %handle, ptr null, ptr @worker, ptr %argument)
  %ok = icmp eq i32 %failed, 0
  br i1 %ok, label %created, label %out
created:
  %thread = load ptr, ptr %handle
  %r = call i32 @pthread_detach(ptr %thread)
  store i64 %id, ptr @workers
  br label %more
out:
  %final = load i64, ptr @workers
  ret i64 %final
}

; after a fork the child has no workers, and locks in an unknown state
define void @forget_workers() {
  store i64 0, ptr @workers
  store i64 0, ptr @ticket
  store i64 0, ptr @sleepers
  store i32 0, ptr @busy
  call void @llvm.memset.p0.i64(ptr @mutex, i8 0, i64 128, i1 false)
  call void @llvm.memset.p0.i64(ptr @wakeup, i8 0, i64 128, i1 false)
  ret void
}

define internal void @serial(ptr %launch) {
  %kernel = load ptr, ptr %launch
  %p1 = getelementptr i64, ptr %launch, i64 1
  %args = load ptr, ptr %p1
  %p2 = getelementptr i64, ptr %launch, i64 2
  %chunks = load i64, ptr %p2
  %p3 = getelementptr i64, ptr %launch, i64 3
  %scratch = load ptr, ptr %p3
  br label %loop
loop:
  %chunk = phi i64 [ 0, %0 ], [ %next, %loop ]
  call void %kernel(ptr %args, i64 %chunk, ptr %scratch)
  %next = add i64 %chunk, 1
  %more = icmp ult i64 %next, %chunks
  br i1 %more, label %loop, label %out
out:
  ret void
}

define internal void @launch(ptr %launch) {
  %p2 = getelementptr i64, ptr %launch, i64 2
  %chunks = load i64, ptr %p2
  %p5 = getelementptr i64, ptr %launch, i64 5
  %lone = load i64, ptr %p5
  %one = icmp eq i64 %lone, 1
  %have = load i64, ptr @workers
  %alone = icmp eq i64 %have, 0
  %simple = or i1 %one, %alone
  br i1 %simple, label %alone_run, label %small
small:  ; a worker that lost its CPU to others is not waited for again and again
  %optional = icmp eq i64 %lone, 2
  %left = load i64, ptr @wary
  %wary = icmp ne i64 %left, 0
  %avoid = and i1 %optional, %wary
  br i1 %avoid, label %shun, label %try
shun:
  %left1 = sub i64 %left, 1
  store i64 %left1, ptr @wary
  br label %alone_run
alone_run:
  call void @serial(ptr %launch)
  ret void
try:  ; another thread of the process may be using the workers
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue { i32, i1 } %pair, 1
  br i1 %mine, label %publish, label %alone_run
publish:
  %kernel = load i64, ptr %launch
  %p1 = getelementptr i64, ptr %launch, i64 1
  %args = load i64, ptr %p1
  %p3 = getelementptr i64, ptr %launch, i64 3
  %scratch = load i64, ptr %p3
  %p4 = getelementptr i64, ptr %launch, i64 4
  %each = load i64, ptr %p4
  store i64 %kernel, ptr @job
  store i64 %args, ptr getelementptr (i64, ptr @job, i64 1)
  store i64 %scratch, ptr getelementptr (i64, ptr @job, i64 2)
  store i64 %each, ptr getelementptr (i64, ptr @job, i64 3)
  store atomic i64 0, ptr @done seq_cst, align 8
  %old = load i64, ptr @ticket
  %epoch0 = lshr i64 %old, 40
  %epoch1 = add i64 %epoch0, 1
  %epoch = shl i64 %epoch1, 40
  %field = shl i64 %chunks, 20
  %ticket = or i64 %epoch, %field
  store atomic i64 %ticket, ptr @ticket seq_cst, align 8
  %asleep = load atomic i64, ptr @sleepers seq_cst, align 8
  %any_asleep = icmp ne i64 %asleep, 0
  %worth_it = icmp eq i64 %lone, 0
  %must_wake = and i1 %any_asleep, %worth_it
  br i1 %must_wake, label %wake, label %help
wake:
  %r1 = call i32 @pthread_mutex_lock(ptr @mutex)
  %r2 = call i32 @pthread_cond_broadcast(ptr @wakeup)
  %r3 = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %help
help:
  call void @take_chunks(i64 0)
  br label %wait
wait:
  %i = phi i64 [ 0, %help ], [ %i1, %again ]
  %finished = load atomic i64, ptr @done seq_cst, align 8
  %all = icmp uge i64 %finished, %chunks
  br i1 %all, label %out, label %patience
patience:
  PAUSE
  %i1 = add i64 %i, 1
  %late = icmp ugt i64 %i1, 250
  br i1 %late, label %yield, label %again
yield:
  %r4 = call i32 @sched_yield()
  %gone = icmp ugt i64 %i1, 280  ; some 20 us
  %suspicious = and i1 %optional, %gone
  br i1 %suspicious, label %suspect, label %again
suspect:
  store i64 2000, ptr @wary
  br label %again
again:
  br label %wait
out:
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret void
}

; a launch of several kernels, or of one kernel on several sets of arguments
define void @batched(ptr %table, i64 %chunk, ptr %scratch) {
  %entry = getelementptr [3 x i64], ptr %table, i64 %chunk
  %kernel = load ptr, ptr %entry
  %p1 = getelementptr i64, ptr %entry, i64 1
  %args = load ptr, ptr %p1
  %p2 = getelementptr i64, ptr %entry, i64 2
  %own_chunk = load i64, ptr %p2
  call void %kernel(ptr %args, i64 %own_chunk, ptr %scratch)
  ret void
}

declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""

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

; run the launches first .. last-1, up to one that fails; the error flag, cleared
define i64 @run(ptr %program, i64 %first, i64 %last) {
  %p_error = getelementptr i64, ptr %program, i64 8
  %launches = call ptr @field(ptr %program, i64 7)
  %some = icmp ult i64 %first, %last
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ %first, %0 ], [ %i1, %loop ]
  %launch = getelementptr [6 x i64], ptr %launches, i64 %i
  call void @launch(ptr %launch)
  %failed = load i64, ptr %p_error
  %fine = icmp eq i64 %failed, 0
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %last
  %go_on = and i1 %fine, %more
  br i1 %go_on, label %loop, label %done
done:
  %error = load i64, ptr %p_error
  store i64 0, ptr %p_error
  ret i64 %error
}

; 0, or the place of an input that does not fit, or minus an error
define i64 @enter(ptr %program, ptr %inputs, ptr %outputs) {
  %bad = call i64 @prepare(ptr %program, ptr %inputs, ptr %outputs)
  %ok = icmp eq i64 %bad, 0
  br i1 %ok, label %go, label %fail
fail:
  ret i64 %bad
go:
  %n = call i64 @word(ptr %program, i64 6)
  %error = call i64 @run(ptr %program, i64 0, i64 %n)
  %negative = sub i64 0, %error
  ret i64 %negative
}
"""


def runtime_ir(offsets: dict[str, int], pause: str, sig_block: int, spins: int) -> str:
    """The runtime's module; ``offsets`` are those of fields in CPython's objects."""
    text = POOL + ENTRY
    for name, offset in offsets.items():
        text = text.replace(name, str(offset))
    text = text.replace("SIG_BLOCK", str(sig_block)).replace("SPINS", str(spins))
    return text.replace("PAUSE", pause)
