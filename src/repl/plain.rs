//! Lines from an input on which nothing can be edited: a pipe under `-i`, or a terminal without abilities.
//! Must not know what is done with a line.

use crate::gil::Cause;
use crate::native;
use crate::object::R;
use crate::rt::syscall;
use crate::vm::thread::Thread;

/// A signal just before the wait does not end it: so often, in milliseconds, it ends by itself.
const LOOK_AROUND: i32 = 100;

/// The bytes read behind the last line.
#[derive(Default)]
pub struct Plain {
    ahead: Vec<u8>,
}

impl Plain {
    /// Shows the prompt on standard error and reads a line; `None` at the end.
    /// Errors: KeyboardInterrupt.
    pub fn read(&mut self, th: &mut Thread, prompt: &str) -> R<Option<String>> {
        native::print_error(th, prompt);
        loop {
            if let Some(end) = self.ahead.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).take(end).collect();
                return Ok(Some(text(&line)));
            }
            let mut buffer = [0; 1024];
            let got = th.detach(Cause::Blocking, || match syscall::wait_readable(0, LOOK_AROUND) {
                Ok(true) => syscall::read(0, &mut buffer),
                Ok(false) => Err(libc::EINTR),
                Err(errno) => Err(errno),
            });
            let n = match got {
                Ok(n) => n,
                Err(libc::EINTR) => {
                    th.check_signals()?;
                    continue;
                }
                Err(_) => 0,
            };
            if n == 0 {
                let rest = std::mem::take(&mut self.ahead);
                return Ok((!rest.is_empty()).then(|| text(&rest)));
            }
            self.ahead.extend_from_slice(buffer.get(..n).unwrap_or(&[]));
        }
    }

    /// Forgets the rest of what was read: the line it belongs to was interrupted.
    pub fn forget(&mut self) {
        self.ahead.clear();
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}
