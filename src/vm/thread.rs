//! A Mini thread as the VM sees it: its registers, its limits, and how it stops running.
//! Must not know how threads are started or joined, nor what an instruction does.

use super::coroutine::Left;
use super::fold::Fold;
use super::frame::{self, LINK};
use super::hashing::{LastFound, LastHashed};
use super::lookup::LookupCache;
use super::native::Args;
use super::stack;
use crate::bytecode::op::Insn;
use crate::gil::{self, Cause, LoopKind, Member};
use crate::object::heap::{self, Marker};
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Raised, Value, Word, class, types};
use std::sync::atomic::{AtomicI64, Ordering};

/// Registers of the main thread, in words; other threads get `OTHER_REGISTERS`. Reserved, not committed.
pub const MAIN_REGISTERS: usize = 8 << 20;
pub const OTHER_REGISTERS: usize = 2 << 20;
/// Native stack below which calls from Rust into Mini raise RecursionError.
const NATIVE_SLACK: usize = 256 << 10;

/// `sys.setrecursionlimit`.
static RECURSION_LIMIT: AtomicI64 = AtomicI64::new(1000);

/// State of one running thread. Owned by its OS thread; the collector reads it while the world is stopped.
#[repr(C)]
pub struct Thread {
    pub m: Mutator,
    /// Register 0 of the running frame, as of the last slow path (the eval loop keeps its own copy).
    pub base: *mut u64,
    /// The instruction after the one being executed, as of the last slow path.
    pub pc: *const Insn,
    /// No frame may reach beyond this.
    pub limit: *mut u64,
    /// Calls left before RecursionError.
    pub depth: i64,
    /// The exception being handled (`sys.exc_info`).
    pub handled: Word,
    /// The exception being raised has a traceback line for the running frame already.
    pub traced: bool,
    /// How the frame of a suspended call that was resumed from Rust was left.
    pub(super) left: Left,
    /// What the native that resumed the innermost generator is making of its items.
    pub(super) fold: Fold,
    /// A MemoryError was caught: collect before its handler runs.
    pub scarce: bool,
    /// The instantiation of the eval loop that this thread must run.
    pub loop_kind: LoopKind,
    /// Caches of class lookups for the slow paths.
    pub lookup: LookupCache,
    /// Where the last key of a dict was found.
    pub(super) last_found: LastFound,
    pub(super) last_hashed: LastHashed,
    /// Containers whose repr is being made.
    pub printing: Vec<Value>,
    /// The thread's Mini object, for `threading.current_thread`; roots for rt.
    pub local: Word,
    /// The number of the thread whose end it waits for, 0 if none; for listings.
    pub joins: u64,
    /// The event loop that runs here.
    pub running_loop: Word,
    /// The current context, once there is one (`contextvars`).
    pub context: Word,
    /// Who is told that an asynchronous generator begins, and that one is thrown away.
    pub asyncgen_hooks: [Word; 2],
    registers: stack::Registers,
    native_base: usize,
    native_limit: usize,
}

impl std::ops::Deref for Thread {
    type Target = Mutator;
    #[inline(always)]
    fn deref(&self) -> &Mutator {
        &self.m
    }
}

impl std::ops::DerefMut for Thread {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Mutator {
        &mut self.m
    }
}

/// Values kept alive across calls into Mini code, until the scope ends.
pub struct Scope {
    len: usize,
}

impl Thread {
    /// State for the calling OS thread. The member is not attached yet. Errors: no address space for the registers.
    pub fn new(member: &'static Member, registers: usize) -> Result<Box<Thread>, String> {
        let registers = stack::Registers::reserve(registers)?;
        // All of it, not from here on: the frames that will hold values need not be the ones below this one.
        let (native_end, native_base) = stack::bounds()?;
        let bottom = registers.bottom();
        // SAFETY: the reservation is larger than one link and the slack; both stay inside it.
        let (base, limit) = unsafe { (bottom.add(LINK), registers.top().sub(64)) };
        let mut thread = Box::new(Thread {
            m: Mutator::new(member),
            base,
            pc: std::ptr::null(),
            limit,
            depth: recursion_limit(),
            handled: None,
            traced: false,
            left: Left::Returned,
            fold: Fold::Nothing,
            scarce: false,
            loop_kind: LoopKind::Locked,
            lookup: LookupCache::new(),
            last_found: LastFound::default(),
            last_hashed: LastHashed::default(),
            printing: Vec::new(),
            local: None,
            joins: 0,
            running_loop: None,
            context: None,
            asyncgen_hooks: [None; 2],
            registers,
            native_base,
            native_limit: native_end + NATIVE_SLACK,
        });
        member.user().store((&raw mut *thread).cast(), Ordering::Release);
        Ok(thread)
    }

    /// Begins to run: waits for permission, and takes over the policy in force.
    pub fn attach(&mut self) {
        gil::attach(self.m.member);
        self.adopt_policy();
    }

    /// Reads which eval loop and which container protocol the policy asks for.
    pub fn adopt_policy(&mut self) {
        self.loop_kind = gil::loop_kind();
        self.m.free = self.loop_kind == LoopKind::Free;
    }

    /// A second thread is about to run Mini code.
    pub fn expect_company(&mut self) {
        gil::expect_company(self.m.member);
        self.adopt_policy();
        super::hooks::expect_company();
    }

    /// Runs `call` without permission to run. It must not touch the heap.
    pub fn detach<T>(&mut self, cause: Cause, call: impl FnOnce() -> T) -> T {
        let member = self.m.member;
        let result = stack::with_spilled(|sp| {
            member.detached_sp().store(sp, Ordering::Release);
            gil::detached(member, cause, call)
        });
        self.adopt_policy();
        result
    }

    /// Runs `wait` (something of `gil` that detaches by itself) with this thread's stack ready for the collector.
    pub fn waiting<T>(&mut self, wait: impl FnOnce(&'static Member) -> T) -> T {
        let member = self.m.member;
        let result = stack::with_spilled(|sp| {
            member.detached_sp().store(sp, Ordering::Release);
            wait(member)
        });
        self.adopt_policy();
        result
    }

    /// Runs `f` while no other thread runs Mini code.
    pub fn stop_the_world<T>(&mut self, f: impl FnOnce(&gil::World) -> T) -> T {
        self.waiting(|member| gil::stop_the_world(member, f))
    }

    /// Begins a scope: values given to `root` stay alive until it is closed.
    pub fn scope(&mut self) -> Scope {
        Scope { len: self.m.rooted.len() }
    }

    /// Keeps `v` alive until the innermost scope is closed.
    pub fn root(&mut self, v: Value) -> Value {
        self.m.rooted.push(v);
        v
    }

    /// Ends a scope.
    pub fn close(&mut self, scope: Scope) {
        self.m.rooted.truncate(scope.len);
    }

    /// The interned string of a name written in Rust code.
    #[inline]
    pub fn name(&mut self, text: &'static str) -> R {
        self.lookup.name(&mut self.m, text)
    }

    /// Takes the pending exception; there is one after every `Raised`.
    pub fn take_exception(&mut self) -> Value {
        self.m.pending.take().unwrap_or(Value::NONE)
    }

    /// Whether the pending exception is of this class.
    pub fn pending_is(&self, exc: Exc) -> bool {
        self.m.pending.is_some_and(|e| class::is_subclass(types::class_of(e), types::exc_class(exc)))
    }

    /// Makes this exception object pending.
    pub fn raise_value(&mut self, exc: Value) -> Raised {
        self.m.pending = Some(exc);
        Raised
    }

    /// Whether native code may recurse.
    #[inline(always)]
    pub fn has_native_stack(&self) -> bool {
        stack::pointer() >= self.native_limit
    }

    /// Before native code recurses (repr of nested data, a comparison, a call back into Mini).
    /// Raises RecursionError if the native stack or the recursion limit is used up.
    #[inline]
    pub fn check_native_stack(&mut self) -> R<()> {
        if self.has_native_stack() { Ok(()) } else { Err(self.recursion_error("")) }
    }

    /// Goes one level deeper into nested data: as deep as the recursion limit allows, like a call.
    /// Raises RecursionError; `during` as in [`Thread::recursion_error`].
    #[inline]
    pub fn nested<T>(&mut self, during: &str, work: impl FnOnce(&mut Thread) -> R<T>) -> R<T> {
        self.check_native_stack()?;
        if self.depth <= 0 {
            return Err(self.recursion_error(during));
        }
        self.depth -= 1;
        let done = work(self);
        self.depth += 1;
        done
    }

    /// RecursionError; `during` as in "maximum recursion depth exceeded while calling a Python object".
    #[cold]
    #[inline(never)]
    pub fn recursion_error(&mut self, during: &str) -> Raised {
        // The handler needs some depth to say anything: lend it a little, once.
        let message = format!("maximum recursion depth exceeded{during}");
        self.m.raise(Exc::RecursionError, message)
    }

    /// Clears the registers around the arguments of the native that runs: the caller has used them for something that is
    /// over, and `gc.collect()` would find objects there that nobody refers to any more.
    pub fn clear_used_registers(&mut self, args: Args) {
        let from = args.0.as_ptr_range().end.addr();
        let (bottom, top) = (self.base.addr(), frame::top(self.base).addr());
        if (bottom..top).contains(&from) {
            let first = self.base.wrapping_add((from - bottom) / 8);
            // SAFETY: registers of the innermost frame behind those of its call; they are written before they are read.
            unsafe { first.write_bytes(0, (top - from) / 8) };
            let link = first.wrapping_sub(args.len() + frame::LINK - 1);
            if link > self.base {
                // SAFETY: before the arguments, the words of the call's window that only a frame would use.
                unsafe { link.write_bytes(0, frame::LINK - 1) };
            }
        }
    }

    /// Marks everything this thread refers to. Only while the world is stopped.
    pub fn visit_roots(&self, marker: &mut Marker) {
        let top = frame::top(self.base);
        let words = (top.addr() - self.registers.bottom().addr()) / 8;
        // SAFETY: the registers in use; their thread stands still.
        unsafe { marker.visit_range(self.registers.bottom(), words) };
        let sp = self.m.member.detached_sp().load(Ordering::Acquire);
        if sp != 0 && sp < self.native_base {
            // SAFETY: the native stack from where the thread stopped up to its beginning.
            unsafe { marker.visit_range(sp as *const u64, (self.native_base - sp) / 8) };
        }
        let own =
            [self.m.pending, self.handled, self.local, self.running_loop, self.context, self.fold.root()];
        own.into_iter().chain(self.asyncgen_hooks).flatten().for_each(|v| marker.visit(v));
        self.m.rooted.iter().chain(&self.printing).for_each(|v| marker.visit(*v));
    }

    /// Marks what the variables of this thread's frames refer to, and nothing else. Only while the world is stopped.
    pub fn visit_variables(&self, marker: &mut Marker) {
        for frame in frame::walk(self.base, std::ptr::null()) {
            let variables = frame::plain(frame.code).varnames.len();
            // A variable without a value yet may hold anything.
            (0..variables).filter_map(|i| frame.register(i)).for_each(|v| marker.visit_ambiguous(v.bits()));
            marker.visit(Value::from_addr(std::ptr::from_ref(frame.function).addr()));
        }
    }

    /// Lowest register, for walks over all frames.
    pub fn bottom(&self) -> *mut u64 {
        self.registers.bottom()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.m.member.user().store(std::ptr::null_mut(), Ordering::Release);
        heap::retire(&mut self.m.heap);
    }
}

/// The thread of a member, if it has one.
///
/// # Safety
/// Only while the world is stopped, or for the calling thread's own member.
pub unsafe fn of_member<'a>(member: &Member) -> Option<&'a mut Thread> {
    // SAFETY: `user` is null or the Thread that `new` stored there; `drop` clears it.
    unsafe { member.user().load(Ordering::Acquire).cast::<Thread>().as_mut() }
}

/// `sys.getrecursionlimit`.
pub fn recursion_limit() -> i64 {
    RECURSION_LIMIT.load(Ordering::Relaxed)
}

/// `sys.setrecursionlimit`; the calling thread's remaining depth is adjusted.
pub fn set_recursion_limit(th: &mut Thread, limit: i64) {
    let before = RECURSION_LIMIT.swap(limit, Ordering::Relaxed);
    th.depth += limit - before;
}
