//! `cargo bench`: Mini against Debian's CPython 3.11 and Lua 5.4, in turn in one run, with medians, ratios and targets.
//!
//! Every suite is a list of `table::Table`s. A missed target is printed, not an error; the exit code is 1 only when a
//! program fails to run or prints a checksum that differs from the others'.

mod cpu;
mod free;
mod json;
mod load;
mod loops;
mod memory;
mod options;
mod pairs;
mod policies;
mod processes;
mod rows;
mod run;
mod servers;
mod session;
mod startup;
mod table;
mod threads;

use options::{Options, Suite};
use run::Lab;
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(servers::SERVE) {
        return load::serve().map_or_else(|error| fail(&error.to_string()), |()| ExitCode::SUCCESS);
    }
    let options = match Options::from_args(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return fail(&message),
    };
    match run_suites(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(errors) => fail(&format!("{errors} of the measurements failed; see above")),
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("bench: error: {message}");
    ExitCode::FAILURE
}

/// Runs the chosen suites, prints their tables, and returns the number of measurements that could not be made.
fn run_suites(options: &Options) -> Result<usize, String> {
    let mut lab = Lab::new(options)?;
    let mut tables = Vec::new();
    for suite in &options.suites {
        let suite_tables = match suite {
            Suite::Startup => startup::tables(&mut lab),
            Suite::Cpu => cpu::tables(&mut lab),
            Suite::Free => free::tables(&mut lab),
            Suite::Memory => memory::tables(&mut lab),
            Suite::Threads => threads::tables(&mut lab),
            Suite::Processes => processes::tables(&mut lab),
            Suite::Policies => policies::tables(&mut lab),
            Suite::Loops => loops::tables(&mut lab),
        };
        for table in suite_tables {
            print!("{table}");
            tables.push(table);
        }
    }
    if let Some(path) = &options.json {
        std::fs::write(path, json::document(&tables)).map_err(|e| format!("cannot write '{path}': {e}"))?;
    }
    let met = tables.iter().map(|t| t.count(table::Verdict::Met)).sum::<usize>();
    let missed = tables.iter().map(|t| t.count(table::Verdict::Missed)).sum::<usize>();
    println!("Targets: {met} met, {missed} MISSED.");
    Ok(lab.errors())
}
