"""Worker threads and how a launch is shared with them, as LLVM IR.

A kernel is ``void kernel(ptr args, i64 chunk, ptr scratch)``. A *launch* runs a kernel
on chunks ``0 .. n-1``, in any order, on any thread; how work is cut into chunks never
depends on the number of threads, so neither do results. Whoever is there takes the next
chunk: a worker that comes late finds none left, and is not waited for. Only one that
loses its CPU in the middle of a chunk is; see `balance` for what is done about that.
"""

from __future__ import annotations

POOL = """
; --- worker threads ------------------------------------------------------------------
; The ticket packs an epoch and the range of chunks that are left (24, 20, 20 bits: its
; end, its beginning). The caller claims from the beginning, every second worker from
; the end: so a core finds in its cache what it left there in the launch before, and
; neighbouring chunks, whose lines are fetched ahead, are seldom another core's. A job's
; fields are stable while a claimed chunk of it has not been counted in @done.
@ticket = internal global i64 0, align 64
@done = internal global i64 0, align 64
@job = internal global [4 x i64] zeroinitializer, align 64
@sleepers = internal global i64 0, align 64
@busy = internal global i32 0, align 64
@workers = internal global i64 0
@patience = internal global i64 SPINS, align 64
@waited = internal global i64 0
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
  %any = call i1 @has_chunk(i64 %seen)
  br i1 %any, label %claim, label %out
claim:
  %odd = trunc i64 %thread to i1
  %change = select i1 %odd, i64 -1048576, i64 1
  %less = add i64 %seen, %change
  %pair = cmpxchg ptr @ticket, i64 %seen, i64 %less seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %work, label %look
work:
  %first = and i64 %seen, 1048575
  %end0 = lshr i64 %less, 20
  %end = and i64 %end0, 1048575
  %next = select i1 %odd, i64 %end, i64 %first
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
  %limit = load atomic i64, ptr @patience monotonic, align 8
  %go_on = icmp ult i64 %i1, %limit
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
  %first = and i64 %ticket, 1048575
  %end0 = lshr i64 %ticket, 20
  %end = and i64 %end0, 1048575
  %any = icmp ult i64 %first, %end
  ret i1 %any
}

; let spinning workers sleep at once, or spin for a while from now on
define internal void @set_patience(i64 %spins) alwaysinline {
  %now = load i64, ptr @patience
  %same = icmp eq i64 %now, %spins
  br i1 %same, label %out, label %change
change:  ; what does not change stays in both caches
  store atomic i64 %spins, ptr @patience monotonic, align 8
  br label %out
out:
  ret void
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

; let others have the CPU until all chunks are done; adds to @waited
define internal void @wait_long(i64 %chunks) {
  %start = call i64 @now()
  br label %yield
yield:
  %r = call i32 @sched_yield()
  %finished = load atomic i64, ptr @done seq_cst, align 8
  %all = icmp uge i64 %finished, %chunks
  br i1 %all, label %out, label %yield
out:
  %end = call i64 @now()
  %taken = sub i64 %end, %start
  %before = load i64, ptr @waited
  %after = add i64 %before, %taken
  store i64 %after, ptr @waited
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

define internal void @launch(ptr %launch, i1 %share) {
  %p2 = getelementptr i64, ptr %launch, i64 2
  %chunks = load i64, ptr %p2
  %p5 = getelementptr i64, ptr %launch, i64 5
  %lone = load i64, ptr %p5
  %one = icmp eq i64 %lone, 1
  %alone = xor i1 %share, true
  %simple = or i1 %one, %alone
  br i1 %simple, label %alone_run, label %try
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
  %i = phi i64 [ 0, %help ], [ %i1, %pause ]
  %finished = load atomic i64, ptr @done seq_cst, align 8
  %all = icmp uge i64 %finished, %chunks
  br i1 %all, label %out, label %pause
pause:
  PAUSE
  %i1 = add i64 %i, 1
  %late = icmp ugt i64 %i1, 250
  br i1 %late, label %late_chunk, label %wait
late_chunk:
  call void @wait_long(i64 %chunks)
  br label %out
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
