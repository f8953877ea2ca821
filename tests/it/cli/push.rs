//! Servers and runs that are killed at any moment lose no acknowledged row and bring none in twice.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::Program;
use crate::support::push::{case_events, pushed_project};

/// Servers that are killed while rows are pushed to them.
const N_KILLS: u32 = 12;
const ROWS_PER_BODY: usize = 10;
const N_PUSHERS: usize = 3;

/// Tells all threads that the test has failed, so that nobody waits for what will not come.
struct FailureFlag<'a>(&'a AtomicBool);

impl Drop for FailureFlag<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Ordering::Relaxed);
    }
}

/// A server at a free port, and its address.
fn start(program: &Program) -> (Child, String) {
    let mut server = program.command(["serve", "--bind", "127.0.0.1:0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit("http://").next().unwrap().to_owned();
    assert!(!address.is_empty(), "the server says nothing");
    (server, address)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Pushes a body once; the answer's status, or none if there was no whole answer.
fn push(address: &str, key: usize, body: &str) -> Option<u16> {
    let mut socket = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /api/v1/pipelines/case_events/events HTTP/1.1\r\nHost: svod\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    answer.ends_with('}').then(|| answer.split(' ').nth(1).unwrap().parse().unwrap())
}

#[test]
fn killed_servers_and_runs_lose_nothing_and_repeat_nothing() {
    let folder = pushed_project("push: {}");
    let program = Program { project: folder.path().to_owned(), data: tempfile::tempdir().unwrap() };
    let rows = case_events(80_000);
    let bodies: Vec<String> = rows.chunks(ROWS_PER_BODY).map(|rows| rows.join("\n")).collect();
    let address = Mutex::new(String::new());
    // The number of the next body; none when no more is to be pushed.
    let next = Mutex::new(Some(0));
    let take_number = || {
        let mut next = next.lock().unwrap();
        let number = (*next)?;
        *next = Some(number + 1);
        Some(number)
    };
    let n_acknowledged = AtomicUsize::new(0);
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let has_failed = AtomicBool::new(false);
    let n_pushed = std::thread::scope(|threads| {
        let _guard = FailureFlag(&has_failed);
        for _ in 0..N_PUSHERS {
            threads.spawn(|| {
                let _guard = FailureFlag(&has_failed);
                while let Some(number) = take_number() {
                    let body = bodies.get(number).expect("the bodies do not suffice for the kills");
                    // Without an answer nobody knows whether it was taken, so it is sent again.
                    let status = loop {
                        let there = address.lock().unwrap().clone();
                        match push(&there, number, body) {
                            Some(status) => break status,
                            None if has_failed.load(Ordering::Relaxed) => return,
                            None => sleep(Duration::from_millis(5)),
                        }
                    };
                    assert_eq!(status, 202);
                    n_acknowledged.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(5));
                }
            });
        }
        for round in 0..N_KILLS {
            let (server, there) = start(&program);
            *address.lock().unwrap() = there;
            let before = n_acknowledged.load(Ordering::Relaxed);
            let run = (round % 2 == 1).then(|| program.command(["run"]).spawn().unwrap());
            sleep(Duration::from_millis(chance.random_range(100..900)));
            if let Some(run) = run {
                kill(run);
            }
            let deadline = Instant::now() + Duration::from_secs(20);
            while n_acknowledged.load(Ordering::Relaxed) == before {
                assert!(Instant::now() < deadline, "the server takes nothing");
                sleep(Duration::from_millis(chance.random_range(1..5)));
            }
            if round % 4 == 2 {
                // A whole run beside the server, so that segments go and keys of gone segments are asked for.
                program.succeed(["run"]);
            }
            kill(server);
        }
        let (server, there) = start(&program);
        *address.lock().unwrap() = there;
        let n_bodies = next.lock().unwrap().take().unwrap();
        while n_acknowledged.load(Ordering::Relaxed) < n_bodies {
            assert!(!has_failed.load(Ordering::Relaxed), "a pusher failed");
            sleep(Duration::from_millis(5));
        }
        for (number, body) in bodies[..n_bodies].iter().enumerate().step_by(7) {
            assert_eq!(push(&there_of(&address), number, body), Some(202), "a body that comes again");
        }
        kill(server);
        n_bodies * ROWS_PER_BODY
    });
    program.succeed(["run"]);
    let figure = |sql: &str| program.succeed(["sql", "--format", "csv", sql]).lines().nth(1).unwrap().to_owned();
    // Read as often as pushed: not even a duplicate that the lake would have told from a new event.
    let read = figure("SELECT sum(read), sum(accepted), sum(duplicate), sum(rejected) FROM runs");
    assert_eq!(read, format!("{n_pushed},{n_pushed},0,0"));
    let text = program.succeed(["sql", "--format", "csv", "SELECT case_id, event FROM events_cases"]);
    let mut found: Vec<&str> = text.lines().skip(1).collect();
    let of_row = |row: &String| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        format!("{},{}", row["case_id"].as_str().unwrap(), row["event"].as_str().unwrap())
    };
    let mut expected: Vec<String> = rows[..n_pushed].iter().map(of_row).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "{} events in the lake, {} pushed", found.len(), expected.len());
    let left = fs_err::read_dir(program.data.path().join("inbox/case_events")).unwrap();
    let names: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.ends_with(".segment")).count(), 1, "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with('0') && name.ends_with(".ndjson")), "{names:?}");
}

fn there_of(address: &Mutex<String>) -> String {
    address.lock().unwrap().clone()
}
