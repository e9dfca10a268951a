//! The program: reads the command line, does what it says, and turns the outcome into an exit code.
//!
//! 0: done. 1: failed, with the reason on standard error. 2: wrong use, as clap reports it.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use nightjar::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a machine that runs us can give us threads");
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain of causes in one line; standard error may be closed, and then nobody reads.
            let _ = writeln!(std::io::stderr(), "nightjar: {error:#}");
            ExitCode::FAILURE
        }
    }
}
