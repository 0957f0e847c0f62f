//! Generates the parser's tables from `mini.lalrpop`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=mini.lalrpop");
    let out = std::env::var("OUT_DIR")?;
    lalrpop::Configuration::new().set_in_dir(".").set_out_dir(out).emit_rerun_directives(true).process()
}
