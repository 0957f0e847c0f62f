//! Every `NAME.mini` below `tests/scripts` and `tests/conformance`, under every policy, against what CPython printed for it.
//!
//! `NAME.out` is the expected stdout, `NAME.err` the expected end of stderr, `NAME.code` the exit code (0 without that
//! file); `tests/make_expectations.py` writes all three with CPython. A script runs in a new, empty folder. Comments at the top of a script say more:
//!
//!     # gil: off coop         only under these policies (`any`: all of them)
//!     # skip-policies: coop   under all but these
//!     # args: one two         sys.argv[1:]
//!     # stdin: FILE           beside the script
//!     # skip: reason          not run, and the reason is printed
//!     # helper                not a test: other scripts import it (so are the files of a package)

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use support::{POLICIES, files, loudly, mini_command, root, run, scratch};

const TIME_LIMIT: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Scripts start threads themselves: more of them at once would only fight over the cores.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let mut trials = Vec::new();
    // The names of scripts are below tests/scripts, those of programs about one rule begin with "conformance/".
    for (folder, names) in [("tests/scripts", "tests/scripts"), ("tests/conformance", "tests")] {
        let paths = files(&root().join(folder), "mini");
        if paths.is_empty() {
            let message = format!("no *.mini file in {folder}");
            trials.push(Trial::test(folder, move || Err(Failed::from(message))));
        }
        for path in paths {
            match Script::read(&root().join(names), &path) {
                Ok(script) if script.helper => {}
                Ok(script) => trials.extend(script.trials()),
                Err(message) => {
                    let name = path.display().to_string();
                    trials.push(Trial::test(name, move || Err(Failed::from(message))));
                }
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A script and the comments at its top.
#[derive(Clone)]
struct Script {
    name: String,
    path: PathBuf,
    policies: Vec<&'static str>,
    args: Vec<String>,
    stdin: Option<String>,
    skip: bool,
    helper: bool,
}

impl Script {
    fn read(folder: &Path, path: &Path) -> Result<Script, String> {
        let text = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        // One script is not UTF-8 on purpose.
        let text = String::from_utf8_lossy(&text);
        let name = path.strip_prefix(folder).unwrap_or(path).with_extension("").display().to_string();
        let in_package = path.with_file_name("__init__.mini").exists();
        let mut script = Script {
            name,
            path: path.to_path_buf(),
            policies: POLICIES.to_vec(),
            args: Vec::new(),
            stdin: None,
            skip: false,
            helper: in_package,
        };
        for line in text.lines().take_while(|line| line.starts_with('#')) {
            script.read_comment(line.trim_start_matches('#').trim())?;
        }
        Ok(script)
    }

    fn read_comment(&mut self, comment: &str) -> Result<(), String> {
        if comment == "helper" {
            self.helper = true;
        }
        let Some((key, value)) = comment.split_once(':') else { return Ok(()) };
        let value = value.trim();
        match key {
            "gil" if value == "any" => {}
            "gil" => self.policies = policies(value)?,
            "skip-policies" => {
                let skipped = policies(value)?;
                self.policies.retain(|policy| !skipped.contains(policy));
            }
            "args" => self.args = value.split_whitespace().map(str::to_string).collect(),
            "stdin" => self.stdin = Some(value.to_string()),
            "skip" => {
                loudly(&format!("{} is skipped: {value}", self.name));
                self.skip = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn trials(self) -> Vec<Trial> {
        let policies = self.policies.clone();
        let trial = |policy: &'static str| {
            let script = self.clone();
            Trial::test(format!("{}::{policy}", script.name), move || {
                script.check(policy).map_err(Failed::from)
            })
            .with_ignored_flag(self.skip)
        };
        policies.into_iter().map(trial).collect()
    }

    fn check(&self, policy: &str) -> Result<(), String> {
        let expected_out = self
            .sibling("out")
            .ok_or_else(|| format!("{}.out is missing: run tests/make_expectations.py", self.name))?;
        let expected_code = match self.sibling("code") {
            Some(text) => {
                text.trim().parse::<i32>().map_err(|_| format!("{}.code is not a number", self.name))?
            }
            None => 0,
        };
        let stdin = match &self.stdin {
            Some(file) => {
                std::fs::read(self.path.with_file_name(file)).map_err(|e| format!("{file}: {e}"))?
            }
            None => Vec::new(),
        };
        let mut command = mini_command(Some(policy));
        command.arg(&self.path).args(&self.args);
        let folder = scratch(&format!("scripts/{}-{}", self.name, policy.replace(':', "-")));
        command.current_dir(&folder).env("HOME", "/nonexistent").env("LANG", "C.UTF-8").env("TZ", "UTC");
        let finished = run(command, &stdin, TIME_LIMIT);
        // What the script leaves behind is cargo's to clean; an empty folder is not worth keeping.
        let _ = std::fs::remove_dir(&folder);
        let stderr = self.comparable(&finished.stderr);
        if finished.status.is_none() {
            return Err(format!("still running after {TIME_LIMIT:?}; killed\n{}", stderr.join("\n")));
        }
        let (stdout, wanted) = (lines(&self.without_folder(&finished.stdout)), lines(&expected_out));
        if stdout != wanted {
            return Err(format!("stdout: {}\nstderr:\n{}", difference(&wanted, &stdout), stderr.join("\n")));
        }
        self.check_stderr(&stderr)?;
        // Python's subprocess module writes death by signal N as -N, a shell as 128 + N.
        let expected_code = if expected_code < 0 { 128 - expected_code } else { expected_code };
        match finished.code() {
            code if code == expected_code => Ok(()),
            code => Err(format!("exit code {code}, expected {expected_code}\n{}", stderr.join("\n"))),
        }
    }

    fn check_stderr(&self, stderr: &[String]) -> Result<(), String> {
        let expected = self.comparable(&self.sibling("err").unwrap_or_default());
        let tail = &stderr[stderr.len().saturating_sub(expected.len())..];
        if expected.is_empty() && !stderr.is_empty() {
            return Err(format!("nothing expected on stderr, but:\n{}", stderr.join("\n")));
        }
        if tail != expected {
            return Err(format!(
                "stderr: {}\nall of it:\n{}",
                difference(&expected, tail),
                stderr.join("\n")
            ));
        }
        Ok(())
    }

    fn sibling(&self, extension: &str) -> Option<String> {
        std::fs::read_to_string(self.path.with_extension(extension)).ok()
    }

    /// What was printed without the place where the scripts lie.
    fn without_folder(&self, text: &str) -> String {
        let folder = self.path.parent().map(|p| format!("{}/", p.display())).unwrap_or_default();
        text.replace(&folder, "")
    }

    /// Lines of stderr without what depends on the machine (the folder) or on taste (the lines that only point).
    fn comparable(&self, text: &str) -> Vec<String> {
        let points = |line: &str| !line.trim().is_empty() && line.trim().chars().all(|c| "^~ ".contains(c));
        lines(&self.without_folder(text)).into_iter().filter(|line| !points(line)).collect()
    }
}

fn policies(list: &str) -> Result<Vec<&'static str>, String> {
    let names = list.split([',', ' ']).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let known = |policy: &&str| *policy == name || policy.split(':').next() == Some(name);
            POLICIES.into_iter().find(known).ok_or(format!("'{name}' is none of the policies {POLICIES:?}"))
        })
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(str::to_string).collect()
}

/// The first line that differs.
fn difference(expected: &[String], actual: &[String]) -> String {
    let same = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
    let show = |lines: &[String]| lines.get(same).map_or("<end>".to_string(), |line| format!("{line:?}"));
    format!("line {} is {}, expected {}", same + 1, show(actual), show(expected))
}
