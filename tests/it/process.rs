//! A bot in a process of its own, as it runs in earnest.

use std::{
    fs::File,
    io::Write,
    net::SocketAddr,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::watch,
    time::timeout,
};

use crate::world::{DEADLINE, World};

/// A bot in a process of its own, which is killed with its owner.
pub struct Process {
    child: Child,
    web: SocketAddr,
    /// What it has logged so far.
    log: watch::Receiver<String>,
}

impl Process {
    /// `nightjar run` against the sandbox of `world`.
    pub fn start(world: &World) -> Self {
        Self::start_serving(world, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// As [`Process::start`], with its own HTTP at an address that is known. The port was free a moment ago
    /// and may be taken by now, so this is for scenes that need it.
    pub fn start_with_health(world: &World) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_serving(world, listener.local_addr().unwrap())
    }

    fn start_serving(world: &World, web: SocketAddr) -> Self {
        // The signal ignored, a write over a limit on the size of files is an error.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(binary())
            .args(["run", "--config"])
            .arg(world.config_file())
            .env("NIGHTJAR__WEB__LISTEN", web.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (log, so_far) = watch::channel(String::new());
        tokio::spawn(keep(child.stderr.take().expect("it was piped"), log));
        Self {
            child,
            web,
            log: so_far,
        }
    }

    /// Where its own HTTP is, where that is known.
    pub fn web(&self) -> SocketAddr {
        self.web
    }

    /// How much memory it uses, in KiB. None where the system does not say.
    pub fn resident_kib(&self) -> Option<u64> {
        let pid = self.child.id()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// As the kernel does when memory runs out.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As an operator does, with SIGTERM.
    pub async fn terminate(mut self) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        self.child.wait().await.unwrap();
    }

    /// Lets no file grow over this many bytes from now on. False where that cannot be done here.
    pub async fn files_up_to(&self, bytes: &str) -> bool {
        let pid = self.child.id().unwrap().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:")])
            .status();
        limited.await.is_ok_and(|status| status.success())
    }

    /// Waits until its log holds these words.
    pub async fn says(&mut self, words: &str) {
        let said = self.log.wait_for(|log| log.contains(words));
        match timeout(DEADLINE, said).await {
            Ok(said) => drop(said.expect("it runs")),
            Err(_) => panic!("the log never says {words:?}"),
        }
    }

    /// What `/readyz` says.
    pub async fn is_ready(&self) -> bool {
        let ready = reqwest::get(format!("http://{}/readyz", self.web)).await;
        ready.is_ok_and(|answer| answer.status().is_success())
    }
}

/// Collects a log, and writes it into a file of its own where `NIGHTJAR_BOT_LOGS` names a folder.
async fn keep(stderr: ChildStderr, log: watch::Sender<String>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let mut file = std::env::var("NIGHTJAR_BOT_LOGS").ok().map(|folder| {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        File::create(format!("{folder}/{number:04}.log")).unwrap()
    });
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(mut line)) = lines.next_line().await {
        line.push('\n');
        if let Some(file) = &mut file {
            file.write_all(line.as_bytes()).unwrap();
        }
        log.send_modify(|log| log.push_str(&line));
    }
}

/// The program: the one that was built beside the tests, or the one that `NIGHTJAR_BINARY` names.
fn binary() -> String {
    std::env::var("NIGHTJAR_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_nightjar").to_owned())
}
