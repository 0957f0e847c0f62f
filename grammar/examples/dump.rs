//! Prints the syntax tree of a file, or its syntax error: `cargo run -p mini-grammar --example dump -- [FLAG]
//! FILE…` with `--spans` for the place of every node, `--tokens` for the tokens, `--time` for the parser's
//! speed.

use std::time::Instant;

use mini_grammar::{Mode, ast, dump_tokens, parse};

fn main() -> std::io::Result<()> {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    for file in files {
        let source = String::from_utf8_lossy(&std::fs::read(&file)?).into_owned();
        let start = Instant::now();
        let shown = match parse(&source, Mode::Module) {
            Err(error) => Err(error),
            Ok(_) if has("--time") => {
                let seconds = start.elapsed().as_secs_f64();
                Ok(format!("{file}: {:.1} MB/s", source.len() as f64 / seconds / 1e6))
            }
            Ok(_) if has("--tokens") => dump_tokens(&source),
            Ok(module) if has("--spans") => Ok(ast::dump_with_spans(&module)),
            Ok(module) => Ok(ast::dump(&module)),
        };
        println!("{}", shown.unwrap_or_else(|error| error.render(&file)));
    }
    Ok(())
}
