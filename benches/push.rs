//! How fast pushed rows become durable: `make bench`.
//!
//! The goal on two cores: 1 000 events a second in bodies of 10, each body durable before it is acknowledged, and 99 of 100
//! answers within 100 ms. First at that rate, with answers timed from the moment when the body was due, then as fast as the
//! server takes them. The server is a thread of this process; bodies come over the loopback.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench stops at the first fault and prints")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use svod::clock::Clock;
use svod::generate::{GenerateOptions, Region, Register, generate};
use svod::indicators::Engine;
use svod::project::Project;
use svod::server::{App, serve};
use svod::warehouse::Snapshots;
use tokio::runtime::Runtime;

const N_EVENTS: usize = 100_000;
const ROWS_PER_BODY: usize = 10;
const BODIES_PER_SECOND: usize = 100;
const N_CONNECTIONS: usize = 16;
const SECONDS: usize = 10;

fn main() {
    let folder = prepare();
    let text = fs_err::read_to_string(folder.join("case-events.ndjson")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let bodies: Vec<String> = lines.chunks(ROWS_PER_BODY).map(|lines| lines.join("\n")).collect();
    let data = tempfile::tempdir_in(&folder).unwrap();
    let address = start_server(&folder, data.path());

    let n_due = BODIES_PER_SECOND * SECONDS;
    let pace = Duration::from_secs(1) / u32::try_from(BODIES_PER_SECOND).unwrap();
    let (paced, seconds) = push_all(&address, "paced", &bodies[..n_due], Some(pace));
    tell("at 1 000 events/s", paced, seconds);
    let (fast, seconds) = push_all(&address, "fast", &bodies[n_due..], None);
    tell("as fast as it goes", fast, seconds);
}

/// A project of its own: the shipped declarations with the pipeline of the bench, whose rows are pushed.
fn prepare() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-push");
    let pipeline = Path::new("pipelines/case_events.yaml");
    fs_err::create_dir_all(folder.join("pipelines")).unwrap();
    for name in ["warehouse", "sql", "svod.yaml"] {
        let _ = fs_err::remove_file(folder.join(name));
        fs_err::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
    }
    let text = fs_err::read_to_string(root.join("benches/project").join(pipeline)).unwrap();
    let pushed = text.replace("  files: case-events.ndjson", "  push: {}");
    assert_ne!(text, pushed);
    fs_err::write(folder.join(pipeline), pushed).unwrap();
    let options = GenerateOptions {
        only: Some(Register::CaseEvents),
        broken: 0.0,
        ..GenerateOptions::new(Region::Samara, N_EVENTS as u64, 1, &folder)
    };
    generate(&options).unwrap();
    folder
}

/// Serves until the process ends; the address.
fn start_server(project: &Path, data: &Path) -> String {
    let project = Arc::new(Project::load(project).unwrap());
    let data = data.to_owned();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        Runtime::new().unwrap().block_on(async {
            let (catalog, reference) = (Arc::clone(&project.indicators), Arc::clone(&project.reference));
            let time_zone = project.settings.time_zone;
            let engine = Engine::new(catalog, reference, time_zone, &data, Clock::System).await.unwrap();
            let app = App::new(project, engine, Snapshots::new(&data), data, Clock::System);
            let bind = "127.0.0.1:0".parse().unwrap();
            serve(app, bind, move |address| sender.send(address.to_string()).unwrap()).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Pushes all bodies over several connections; how long each took, and all together.
fn push_all(address: &str, round: &str, bodies: &[String], pace: Option<Duration>) -> (Vec<Duration>, f64) {
    let (next, durations) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(bodies.len())));
    let start = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..N_CONNECTIONS {
            threads.spawn(|| {
                let mut connection = Connection::open(address);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(body) = bodies.get(number) else { break };
                    let due = match pace {
                        Some(pace) => start + pace * u32::try_from(number).unwrap(),
                        None => Instant::now(),
                    };
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    connection.push(&format!("{round}-{number}"), body);
                    durations.lock().unwrap().push(due.elapsed());
                }
            });
        }
    });
    (durations.into_inner().unwrap(), start.elapsed().as_secs_f64())
}

/// A connection that is kept.
struct Connection {
    socket: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { answers: BufReader::new(socket.try_clone().unwrap()), socket }
    }

    fn push(&mut self, key: &str, body: &str) {
        let request = format!(
            "POST /api/v1/pipelines/case_events/events HTTP/1.1\r\nHost: svod\r\nContent-Type: application/x-ndjson\r\n\
             Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.write_all(request.as_bytes()).unwrap();
        let (mut head, mut n_bytes) = (String::new(), 0);
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                n_bytes = length.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head += &line;
        }
        let mut answer = vec![0; n_bytes];
        self.answers.read_exact(&mut answer).unwrap();
        assert!(head.starts_with("HTTP/1.1 202"), "{head}{}", String::from_utf8_lossy(&answer));
    }
}

fn tell(what: &str, mut durations: Vec<Duration>, seconds: f64) {
    durations.sort_unstable();
    let millis = |share: usize| durations[(durations.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let events_per_second = (durations.len() * ROWS_PER_BODY) as f64 / seconds;
    println!(
        "push, {what}: {} bodies of {ROWS_PER_BODY}, {events_per_second:.0} events/s, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        durations.len(),
        millis(50),
        millis(99),
        millis(100)
    );
}
