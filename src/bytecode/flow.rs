//! Forward data flow over the instructions of one code object: what certainly holds before each of them, whatever way
//! led there. Must not know what the sets mean.

use super::bound::Bound;
use super::code::Code;

/// Instructions that may come next, each with what then holds on this way.
pub type Ways = Vec<(usize, Bound)>;

/// What holds before each instruction; `None`: no way leads there. `follow` names the ways on from the instruction at that
/// place, given what holds before it; repeated until nothing changes.
pub fn forward(code: &Code, entry: Bound, follow: impl Fn(usize, &Bound, &mut Ways)) -> Vec<Option<Bound>> {
    let mut states: Vec<Option<Bound>> = vec![None; code.insns.len()];
    let mut todo = vec![(0, entry)];
    while let Some((at, state)) = todo.pop() {
        if let Some(state) = states.get_mut(at).and_then(|known| merged(known, state)) {
            follow(at, &state, &mut todo);
        }
    }
    states
}

/// What is known now, if that is less than it was.
fn merged(known: &mut Option<Bound>, state: Bound) -> Option<Bound> {
    let before = known.clone();
    match known {
        Some(known) => known.intersect(&state),
        None => *known = Some(state),
    }
    if *known == before { None } else { known.clone() }
}
