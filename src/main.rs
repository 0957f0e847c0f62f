//! The `mini` command.

fn main() {
    std::process::exit(mini::cli::main());
}
