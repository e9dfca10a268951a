//! A bot in a process of its own, as it runs in earnest.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::world::World;

/// It is killed with its owner.
pub struct Process(Child);

impl Process {
    /// `nightjar run` against the sandbox of `world`.
    pub fn start(world: &World) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_nightjar"))
            .args(["run", "--config"])
            .arg(world.config_file())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// As the kernel does when memory runs out.
    pub async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }

    /// As an operator does, with SIGTERM.
    pub async fn terminate(mut self) {
        let id = self.0.id().expect("it runs").to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        self.0.wait().await.unwrap();
    }
}
