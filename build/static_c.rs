//! Links the C library and the unwinder into `mini` where the compiler has them as archives (Debian's libc6-dev does). Must
//! not know what else is built: test binaries stay as they are.
//!
//! Loading five libraries takes a quarter of the time of starting up, and every fork copies their mappings: a tenth of its
//! time. The flag `crt-static` would do the same for everything that cargo builds, and does not work for macros.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the standard library of Rust asks the linker for.
const WANTED: [&str; 7] = ["c", "gcc_s", "util", "rt", "pthread", "m", "dl"];

/// Tells cargo how, unless an archive is missing.
pub fn link(out: &Path) -> Result<(), Box<dyn Error>> {
    let Some(archives) = ["c", "m", "gcc", "gcc_eh"].map(archive).into_iter().collect::<Option<Vec<_>>>()
    else {
        return Ok(());
    };
    let [c, m, gcc, gcc_eh] = archives.as_slice() else { return Ok(()) };
    let folder = out.join("static");
    std::fs::create_dir_all(&folder)?;
    // The linker takes the first folder that has a library, and text instead of an archive as a list of files. The C library
    // and that of the compiler need each other; since glibc 2.34 the C library contains the others.
    let all = format!("GROUP({} {} {})\n", c.display(), gcc.display(), gcc_eh.display());
    for name in WANTED {
        let text = if name == "m" { format!("INPUT({})\n", m.display()) } else { all.clone() };
        std::fs::write(folder.join(format!("lib{name}.a")), text)?;
    }
    println!("cargo::rustc-link-arg-bins=-static");
    println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
    Ok(())
}

/// Where the C compiler keeps this archive.
fn archive(name: &str) -> Option<PathBuf> {
    let asked = Command::new("cc").arg(format!("-print-file-name=lib{name}.a")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
    path.is_absolute().then_some(path)
}
