//! Compiles the standard library when Mini is built: `OUT_DIR/frozen.rs` is the table of what `src/bytecode/frozen.rs` reads.
//! The experiments of `mini lab` stay text, since other Pythons run them too: `OUT_DIR/experiments.rs` is their table.
//! Must not know how modules are run. Front end and compiler are the ones in `src/`, as parts of this program.

#[path = "../src/bytecode/mod.rs"]
#[allow(dead_code)]
mod bytecode;
#[path = "../src/compile/mod.rs"]
#[allow(dead_code, unused_imports)]
mod compile;
mod encode;
mod static_c;

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["stdlib", "lab", "build", "src/bytecode", "src/compile"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    if std::env::var("CARGO_CFG_TARGET_OS")? == "linux" && std::env::var("CARGO_CFG_TARGET_ENV")? == "gnu" {
        // At an address of its own choice, the loader writes into 110 pages of tables before `main`, and every fork copies
        // their entries: a sixth of the time of starting up. Debian's Python has a fixed address as well.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // Unwinding, which ends a process that fails, as part of the program: a shared library of its own takes a tenth of
        // the time of starting up, and every fork copies its five mappings.
        println!("cargo::rustc-link-lib=gcc_eh");
        static_c::link(&out)?;
    }
    std::fs::write(out.join("experiments.rs"), experiments()?)?;
    let mut table = String::from("pub static MODULES: &[(&str, &[u8])] = &[\n");
    for path in sources(Path::new("stdlib"))? {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name that is no text")?.to_owned();
        let code = compiled(&path, &format!("<frozen {name}>"))?;
        let file = out.join(format!("{name}.code"));
        std::fs::write(&file, encode::module(&code))?;
        writeln!(table, "    ({name:?}, include_bytes!({file:?})),")?;
    }
    table.push_str("];\n");
    std::fs::write(out.join("frozen.rs"), table)?;
    Ok(())
}

/// The table of experiments: name and text.
fn experiments() -> Result<String, Box<dyn Error>> {
    let here = std::env::current_dir()?;
    let mut table = String::from("pub static EXPERIMENTS: &[(&str, &str)] = &[\n");
    for path in sources(Path::new("lab"))? {
        compiled(&path, "an experiment")?;
        let name = path.file_stem().ok_or("no name")?.to_string_lossy();
        writeln!(table, "    ({name:?}, include_str!({:?})),", here.join(&path))?;
    }
    table.push_str("];\n");
    Ok(table)
}

/// The code of a file; what is wrong in it ends the build.
fn compiled(path: &Path, filename: &str) -> Result<Arc<bytecode::code::Code>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let code = compile::compile_text(&text, filename, compile::Mode::Module)
        .map_err(|error| format!("{}:{}: {}", path.display(), error.line, error.message))?;
    Ok(code)
}

/// The library's files, sorted by name.
fn sources(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    found.retain(|path| path.extension().is_some_and(|e| e == "mini"));
    found.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    Ok(found)
}
