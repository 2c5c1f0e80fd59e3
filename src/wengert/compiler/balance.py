"""Whether to share the launches of a small program with the workers, as LLVM IR.

To share a program of a hundred microseconds pays if another core is idle. If it is
busy with something else, its share of the work comes late, or the worker takes time
from the very core that waits for it. Of all that, only the outcome is looked at: how
long a run took that was shared, against the least that it takes alone.

Each small stretch of launches has a *balance*, in nanoseconds. What shared runs save
adds to it, up to what a lone run takes; what they lose is subtracted. While it is not
negative, runs are shared. Else they are lone, and each adds 1/32 of its time: so what
is lost by sharing is at most about 1/32 of the time, in the long run. That is also how
quickly sharing is tried again when the other core may be idle once more.

Lone runs lose their CPU now and then, too, for milliseconds. So a run in which not the
workers were waited for costs no more than the credit, once there is some.

The first runs are lone, to learn how long that takes; so are those with a negative
balance. The least counts, and grows by 1/16 with each, to follow a machine that became
slower. Larger programs are always shared: each of their launches is worth it.
"""

from __future__ import annotations

POLICY = """
; --- whether sharing pays ------------------------------------------------------------
declare i32 @clock_gettime(i32, ptr)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)

define internal i64 @now() {
  %time = alloca [2 x i64]
  %r = call i32 @clock_gettime(i32 CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %p1 = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %p1
  %whole = mul i64 %seconds, 1000000000
  %all = add i64 %whole, %rest
  ret i64 %all
}

; whether to share the next run of a stretch
define i1 @pays(ptr %stretch) {
  %p4 = getelementptr i64, ptr %stretch, i64 4
  %balance = load i64, ptr %p4
  %p5 = getelementptr i64, ptr %stretch, i64 5
  %lessons = load i64, ptr %p5
  %solvent = icmp sge i64 %balance, 0
  %knows = icmp eq i64 %lessons, 0
  %pays = and i1 %solvent, %knows
  ret i1 %pays
}

; take note of what a lone run cost
define void @learn_alone(ptr %stretch, i64 %cost) {
  %p3 = getelementptr i64, ptr %stretch, i64 3
  %least = load i64, ptr %p3
  %some = ashr i64 %least, 4
  %grown = add i64 %least, %some
  %lower = call i64 @llvm.smin.i64(i64 %grown, i64 %cost)
  store i64 %lower, ptr %p3
  %p5 = getelementptr i64, ptr %stretch, i64 5
  %lessons = load i64, ptr %p5
  %learning = icmp ne i64 %lessons, 0
  br i1 %learning, label %lesson, label %save
lesson:
  %fewer = sub i64 %lessons, 1
  store i64 %fewer, ptr %p5
  ret void
save:
  %p4 = getelementptr i64, ptr %stretch, i64 4
  %balance = load i64, ptr %p4
  %interest = ashr i64 %cost, 5
  %more = add i64 %balance, %interest
  %new = call i64 @llvm.smin.i64(i64 %more, i64 0)
  store i64 %new, ptr %p4
  ret void
}

; take note of what a shared run cost, and how much of that was waiting for workers
define void @learn_shared(ptr %stretch, i64 %cost, i64 %waited) {
  %p3 = getelementptr i64, ptr %stretch, i64 3
  %least = load i64, ptr %p3
  %p4 = getelementptr i64, ptr %stretch, i64 4
  %balance = load i64, ptr %p4
  %active = sub i64 %cost, %waited
  %twice = shl i64 %least, 1
  %credit = icmp sgt i64 %balance, 0
  %most = select i1 %credit, i64 %twice, i64 %active
  %ours = call i64 @llvm.smin.i64(i64 %active, i64 %most)
  %blamed = add i64 %ours, %waited
  %gain = sub i64 %least, %blamed
  %sum = add i64 %balance, %gain
  %upper = call i64 @llvm.smin.i64(i64 %sum, i64 %least)
  %new = call i64 @llvm.smax.i64(i64 %upper, i64 WORST)
  store i64 %new, ptr %p4
  %lost = icmp slt i64 %new, 0
  br i1 %lost, label %dismiss, label %out
dismiss:  ; spinning workers may be what takes the time
  call void @set_patience(i64 0)
  br label %out
out:
  ret void
}

; run a stretch of a program; the error flag, cleared
define i64 @replay(ptr %program, ptr %stretch) {
  %launches = load ptr, ptr %stretch
  %p1 = getelementptr i64, ptr %stretch, i64 1
  %count = load i64, ptr %p1
  %p2 = getelementptr i64, ptr %stretch, i64 2
  %small = load i64, ptr %p2
  %have = load i64, ptr @workers
  %any = icmp ne i64 %have, 0
  %is_small = icmp ne i64 %small, 0
  %judged = and i1 %any, %is_small
  br i1 %judged, label %judge, label %plain
plain:
  %error0 = call i64 @run(ptr %program, ptr %launches, i64 %count, i1 %any)
  ret i64 %error0
judge:
  %share = call i1 @pays(ptr %stretch)
  store i64 0, ptr @waited
  %start = call i64 @now()
  %error = call i64 @run(ptr %program, ptr %launches, i64 %count, i1 %share)
  %end = call i64 @now()
  %cost = sub i64 %end, %start
  br i1 %share, label %shared, label %alone
shared:
  %waited = load i64, ptr @waited
  call void @learn_shared(ptr %stretch, i64 %cost, i64 %waited)
  ret i64 %error
alone:
  call void @learn_alone(ptr %stretch, i64 %cost)
  ret i64 %error
}

; run launches, up to one that fails; the error flag, cleared
define i64 @run(ptr %program, ptr %launches, i64 %count, i1 %share) {
  %p_error = getelementptr i64, ptr %program, i64 7
  br i1 %share, label %together, label %begin
together:
  call void @set_patience(i64 SPINS)
  br label %begin
begin:
  %some = icmp ne i64 %count, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %begin ], [ %i1, %loop ]
  %launch = getelementptr [6 x i64], ptr %launches, i64 %i
  call void @launch(ptr %launch, i1 %share)
  %failed = load i64, ptr %p_error
  %fine = icmp eq i64 %failed, 0
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %count
  %go_on = and i1 %fine, %more
  br i1 %go_on, label %loop, label %done
done:
  %error = load i64, ptr %p_error
  store i64 0, ptr %p_error
  ret i64 %error
}
"""
