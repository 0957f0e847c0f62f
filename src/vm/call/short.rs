//! Calls from Rust with a few arguments that need no binding: the number of words that are copied is known when this is
//! compiled, and those of a native lie on the native stack.
//! Must not know who calls.

use super::{ENTRY, native_direct, push_plain};
use crate::object::layout::BoundMethod;
use crate::object::{Kind, R, Value, types};
use crate::vm::run;
use crate::vm::thread::Thread;

/// As many arguments, the object of a method included.
const FEW: usize = 4;

fn nth(args: &[Value], i: usize) -> Value {
    args.get(i).copied().unwrap_or(Value::NONE)
}

impl Thread {
    /// Calls a method of its object with a few arguments that need no binding. `None`: they do, and nothing was done.
    pub(super) fn call_bound_short(&mut self, bound: &BoundMethod, args: &[Value]) -> Option<R> {
        self.call_found_short(bound.func.value(), bound.receiver.value(), args)
    }

    /// As `call_bound_short`, of a function or native that was found in the object's class.
    pub(in crate::vm) fn call_found_short(&mut self, f: Value, receiver: Value, args: &[Value]) -> Option<R> {
        if !self.has_native_stack() {
            return None;
        }
        let n = args.len() + 1;
        let all: [Value; FEW] = std::array::from_fn(|i| i.checked_sub(1).map_or(receiver, |i| nth(args, i)));
        let used = all.get(..n)?;
        if types::kind_of(f) == Kind::Native {
            return self.native_on_stack(f, all, n);
        }
        match push_plain(self, f, used, ENTRY, 0) {
            Ok(true) => Some(run::run_entered(self)),
            Ok(false) => None,
            Err(raised) => Some(Err(raised)),
        }
    }

    /// Runs a native with a few arguments that need no binding: they lie on the native stack, where the collector sees them.
    #[inline]
    pub(super) fn call_native_short(
        &mut self,
        f: Value,
        args: &[Value],
        keywords: &[(Value, Value)],
    ) -> Option<R> {
        let n = args.len();
        let short = n <= FEW && keywords.is_empty();
        if short { self.native_on_stack(f, std::array::from_fn(|i| nth(args, i)), n) } else { None }
    }

    /// As `call_native_short`, with the first `n` of these.
    #[inline(always)]
    fn native_on_stack(&mut self, f: Value, args: [Value; FEW], n: usize) -> Option<R> {
        let mut words = args.map(Value::bits);
        // SAFETY: `f` is a Native; `n` values, none of them EMPTY.
        let result = unsafe { native_direct(self, f.bits(), words.as_mut_ptr(), n) };
        // They stay on the stack until here.
        std::hint::black_box(&words);
        result
    }
}
