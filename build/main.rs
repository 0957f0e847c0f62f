//! Compiles the standard library when Mini is built: `OUT_DIR/frozen.rs` is the table of what `src/bytecode/frozen.rs` reads.
//! Must not know how modules are run. Front end and compiler are the ones in `src/`, as parts of this program.

#[path = "../src/bytecode/mod.rs"]
#[allow(dead_code)]
mod bytecode;
#[path = "../src/compile/mod.rs"]
#[allow(dead_code, unused_imports)]
mod compile;
mod encode;

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    for input in ["stdlib", "build", "src/bytecode", "src/compile"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut table = String::from("pub static MODULES: &[(&str, &[u8])] = &[\n");
    for path in sources(Path::new("stdlib"))? {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name that is no text")?.to_owned();
        let text = std::fs::read_to_string(&path)?;
        let code = compile::compile_text(&text, &format!("<frozen {name}>"), compile::Mode::Module)
            .map_err(|error| format!("{}:{}: {}", path.display(), error.line, error.message))?;
        let file = out.join(format!("{name}.code"));
        std::fs::write(&file, encode::module(&code))?;
        writeln!(table, "    ({name:?}, include_bytes!({file:?})),")?;
    }
    table.push_str("];\n");
    std::fs::write(out.join("frozen.rs"), table)?;
    Ok(())
}

/// The library's files, sorted by name.
fn sources(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    found.retain(|path| path.extension().is_some_and(|e| e == "mini"));
    found.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    Ok(found)
}
