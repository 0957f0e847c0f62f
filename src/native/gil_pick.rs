//! `gil.set(queue=pick)`: a function of the script decides who has the GIL next. It is called in a thread of its own,
//! which holds the GIL meanwhile and is in no list of `threading`. Must not know how those who wait are kept (`gil/asked.rs`).

use super::os_process;
use super::struct_seq;
use super::support::{set, type_name};
use crate::gil::{self, Member, PolicySpec, QueueKind, Ready, park, signal};
use crate::object::{Exc, R, Slot, Value, tuple};
use crate::vm::roots;
use crate::vm::thread::{OTHER_REGISTERS, Thread};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};

/// The function, kept by `roots`.
static PICK: Mutex<Option<Value>> = Mutex::new(None);
static WAITER: Slot = Slot::empty();

/// Makes `gil.Waiter`.
pub fn init(th: &mut Thread, module: Value) -> R<()> {
    struct_seq::make_class(th, "gil", "Waiter", &["name", "ident", "waited", "io"], &WAITER)?;
    set(&mut th.m, module, "Waiter", WAITER.get().unwrap_or(Value::NONE))
}

/// The function that decides, if one was ever named.
pub fn function() -> Option<Value> {
    *PICK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names the function.
pub fn name(function: Value) {
    roots::keep(function);
    let before = PICK.lock().unwrap_or_else(PoisonError::into_inner).replace(function);
    before.into_iter().for_each(roots::forget);
}

/// Puts a policy in force; with `queue=user`, the function is asked from now on.
pub fn put_in_force(th: &mut Thread, spec: PolicySpec) -> R<()> {
    if spec.queue == QueueKind::User && function().is_none() {
        return Err(th.value_error("queue=user needs a function: use gil.set(queue=function)"));
    }
    th.waiting(|member| gil::set_policy(member, spec));
    if spec.queue == QueueKind::User { begin(th) } else { Ok(()) }
}

/// In a forked child: the thread that asks the function is not there.
#[inline(always)]
pub fn after_fork_child(th: &mut Thread) {
    if gil::policy().queue == QueueKind::User && begin(th).is_err() {
        // Without it, the order is that of arrival.
        th.take_exception();
    }
}

/// Starts the thread that asks, and waits until it is ready to.
fn begin(th: &mut Thread) -> R<()> {
    let member = gil::register("gil-pick", false);
    th.expect_company();
    let (sender, receiver) = mpsc::channel();
    let asks = move || {
        signal::block_signals_in_this_thread();
        ask_on_and_on(member, &sender);
    };
    let started = std::thread::Builder::new().name("mini-gil-pick".to_owned()).spawn(asks);
    if started.is_err() {
        gil::leave(member);
    }
    let ready = started.is_ok() && th.detach(gil::Cause::Blocking, || receiver.recv().is_ok());
    if ready { Ok(()) } else { Err(th.raise(Exc::RuntimeError, "can't start new thread")) }
}

fn ask_on_and_on(member: &'static Member, ready: &Sender<()>) {
    member.bind_to_this_thread();
    if let Ok(mut th) = Thread::new(member, OTHER_REGISTERS) {
        let mut turn = gil::become_decider(member);
        // Whoever started this thread waits for it, unless it is a child that was forked meanwhile.
        let _ = ready.send(());
        while let Some(of) = turn {
            while th.waiting(|member| gil::await_question(member, of)) {
                let choice = ask(&mut th);
                th.waiting(|member| gil::answer(member, choice));
            }
            turn = gil::become_decider(member);
        }
        th.attach();
    }
    park::begin_farewell();
    gil::leave(member);
    park::end_farewell();
}

/// Asks the function once. If that fails, it is not asked again.
fn ask(th: &mut Thread) -> Option<u64> {
    let ready = gil::question();
    // Nobody waits if the policy was changed this very moment.
    let function = function().filter(|_| !ready.is_empty())?;
    let scope = th.scope();
    th.root(function);
    let choice = choose(th, function, &ready);
    if choice.is_err() {
        give_up(th, function);
    }
    th.close(scope);
    if th.m.member.is_main() {
        // The function has forked: this is the child's only thread.
        os_process::end_of_child(th);
    }
    choice.unwrap_or(None)
}

fn choose(th: &mut Thread, function: Value, ready: &[Ready]) -> R<Option<u64>> {
    let mut waiters = Vec::new();
    for one in ready {
        let items = [
            th.new_str(&one.name)?,
            th.new_int(one.id as i64)?,
            th.new_float(one.waited as f64 / 1e9)?,
            Value::bool(one.from_blocking),
        ];
        waiters.push(struct_seq::new(&mut th.m, &WAITER, &items)?);
    }
    let list = th.new_list(&waiters)?;
    let chosen = th.call(function, &[list])?;
    if chosen.is_none() {
        return Ok(None);
    }
    let ident = tuple::of(chosen).and_then(|t| tuple::get(t, 1)).filter(|v| v.is_small_int());
    match ident.and_then(|v| ready.iter().find(|one| v == Value::int_unchecked(one.id as i64))) {
        Some(one) => Ok(Some(one.id)),
        None => {
            let class = type_name(chosen);
            Err(th.type_error(format!("a GIL policy must return a thread of its list, or None, not {class}")))
        }
    }
}

/// Says what happened, and goes on in the order of arrival.
fn give_up(th: &mut Thread, function: Value) {
    let said = super::print::ignored(th, "GIL policy", function);
    super::print::to_stderr(th, &(said + "The policy is queue=fifo from now on.\n"));
    let spec = gil::policy();
    if spec.queue == QueueKind::User {
        th.waiting(|member| gil::set_policy(member, PolicySpec { queue: QueueKind::Fifo, ..spec }));
    }
}
