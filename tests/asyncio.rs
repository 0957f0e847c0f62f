//! The examples of event loops run to their end under every policy. What `asyncio` promises in detail is in tests/scripts/asyncio.

mod support;

use std::time::Duration;
use support::{POLICIES, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn examples_run() {
    for (name, last) in
        [("producer_consumer", "all four agree: True"), ("crawler", "all three found every page: True")]
    {
        for gil in POLICIES {
            let mut command = mini_command(Some(gil));
            command.arg(root().join(format!("examples/{name}.mini")));
            let done = run(command, b"", LIMIT);
            let printed = done.stdout.lines().last().unwrap_or("");
            assert_eq!((done.code(), printed, done.stderr.as_str()), (0, last, ""), "{name} --gil {gil}");
        }
    }
}
