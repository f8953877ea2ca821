//! A lake in a bucket: the same facts and figures as on the disk, whatever happens to server and store.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::intake::run_project::{RunProject, files_below};
use crate::support::lake::{headline_figures, whole_lake};
use crate::support::s3::{Conditions, S3Server};
use crate::support::{Outcome, Program, project_root};

/// Lines of `svod.yaml` for a lake in a bucket.
fn lake_at(address: &str, bucket: &str, more: &str) -> String {
    format!(
        "lake:\n  s3: {{bucket: {bucket}, prefix: warehouse, endpoint: \"{address}\", access_key: {{file: access}}, \
         secret_key: {{file: secret}}{more}}}\n"
    )
}

fn write_keys(project: &Path, secret: &str) {
    fs_err::write(project.join("access"), "svod\n").unwrap();
    fs_err::write(project.join("secret"), secret).unwrap();
}

/// A project with two small registers whose lake lies in a bucket.
fn small_project(address: &str) -> RunProject {
    let project = RunProject::with("", &lake_at(address, "svod", ""));
    write_keys(&project.program.project, "s3cret");
    project
}

/// The shipped declarations and samples with other settings.
fn shipped_with(settings: &str) -> (Program, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["pipelines", "warehouse", "sql", "dashboards", "data-samples"] {
        fs_err::os::unix::fs::symlink(project_root().join(name), folder.path().join(name)).unwrap();
    }
    let shipped = fs_err::read_to_string(project_root().join("svod.yaml")).unwrap();
    fs_err::write(folder.path().join("svod.yaml"), shipped + settings).unwrap();
    write_keys(folder.path(), "s3cret");
    (Program { project: folder.path().to_owned(), data: tempfile::tempdir().unwrap() }, folder)
}

fn copy_key(from: &Program, to: &Program) {
    fs_err::copy(from.data.path().join("pseudonym.key"), to.data.path().join("pseudonym.key")).unwrap();
}

/// Another server over the same project, with an empty data directory.
fn other_server(program: &Program) -> Program {
    Program { project: program.project.clone(), data: tempfile::tempdir().unwrap() }
}

fn bytes_in_cache(program: &Program) -> usize {
    files_below(&program.data.path().join("lake-cache")).values().map(Vec::len).sum()
}

fn stderr_of_failure(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(!outcome.stderr.contains("s3cret") && !outcome.stdout.contains("s3cret"), "{outcome:?}");
    &outcome.stderr
}

#[test]
fn the_samples_in_a_bucket_are_the_samples_on_the_disk_also_for_a_new_server() {
    let local = Program::shipped();
    local.succeed(["run"]);
    let (lake, figures) = (whole_lake(&local), headline_figures(&local));

    let store = S3Server::default();
    store.change(|contents| contents.page = Some(7));
    let settings = lake_at(&store.serve_apart(), "svod", ", cache_bytes: 200000");
    let (remote, _folder) = shipped_with(&settings);
    copy_key(&local, &remote);
    remote.succeed(["run"]);
    assert_eq!(headline_figures(&remote), figures);
    assert!(!remote.data.path().join("lake").exists());
    assert!(bytes_in_cache(&remote) <= 200_100, "{} bytes", bytes_in_cache(&remote));
    assert!(remote.succeed(["run"]).contains("snapshot 1"));
    let rejected = local.succeed(["quarantine", "list", "--format", "csv"]);
    assert_eq!(remote.succeed(["quarantine", "list", "--format", "csv"]), rejected);
    let sound = remote.succeed(["verify"]);
    let counts = |text: &str| text.lines().last().unwrap().split(" files").next().unwrap().to_owned();
    assert_eq!(counts(&sound), counts(&local.succeed(["verify"])));

    // The server is lost with its data directory; only the key of pseudonyms was kept.
    let heir = other_server(&remote);
    drop(remote);
    let refused = heir.run(["run"]);
    assert!(stderr_of_failure(&refused).contains("copy it there from the server that is lost"), "{refused:?}");
    assert!(heir.succeed(["rebuild"]).contains("nothing differs from snapshot 1"));
    copy_key(&local, &heir);
    let report = heir.succeed(["run"]);
    assert!(report.contains("snapshot 1"), "{report}");
    assert_eq!(headline_figures(&heir), figures);
    assert_eq!(whole_lake(&heir), lake);

    // A lost object is found although the cache has a copy of it, and a compaction changes no figure.
    heir.succeed(["compact"]);
    assert_eq!(headline_figures(&heir), figures);
    assert!(heir.succeed(["verify"]).contains("sound"));
    let key = store.change(|contents| {
        let key = contents.objects.keys().find(|key| key.contains("lake/events/cases/month=")).unwrap().clone();
        contents.objects.remove(&key);
        key
    });
    let verdict = heir.run(["verify"]);
    stderr_of_failure(&verdict);
    let place = key.trim_start_matches("warehouse/");
    assert!(verdict.stdout.contains(&format!("fault: {place}: the file is missing")), "{verdict:?}");
}

#[test]
fn a_dry_run_and_a_retention_leave_the_bucket_as_they_should() {
    let store = S3Server::default();
    let project = small_project(&store.serve_apart());
    project.write_rows("first-1", &[("A-1", "2026-05-01", None)]);
    project.program.succeed(["run"]);
    project.write_rows("first-2", &[("A-2", "2026-05-02", None), ("A-1", "2026-05-01", Some("2026-05-03"))]);
    let before = store.change(|contents| contents.objects.clone());
    let report = project.program.succeed(["run", "--dry-run"]);
    assert!(report.contains("dry run: nothing was written"), "{report}");
    assert!(store.change(|contents| contents.objects == before), "a dry run wrote into the bucket");
    assert_eq!(project.events().len(), 1);
    project.program.succeed(["run"]);
    assert_eq!(project.events(), ["A-1 granted 2026-05-03", "A-1 registered 2026-05-01", "A-2 registered 2026-05-02"]);
    let manifests =
        || store.change(|contents| contents.objects.keys().filter(|key| key.contains("snapshots/")).count());
    assert_eq!(manifests(), 2);
    let figures = project.figures();
    for _ in 0..2 {
        project.program.succeed(["compact", "--keep-snapshots", "1"]);
    }
    assert_eq!((manifests(), project.figures()), (1, figures.clone()));
    // What was given up does not come back on another server.
    let heir = other_server(&project.program);
    assert!(heir.succeed(["query", "appeals"]).contains('2'));
    assert_eq!(fs_err::read_dir(heir.data.path().join("snapshots")).unwrap().count(), 1);
}

#[test]
fn what_is_wrong_with_the_store_is_one_sentence() {
    let store = S3Server::default();
    let address = store.serve_apart();
    let project = small_project(&address);
    project.write_registers();
    let says = |project: &RunProject, sentence: &str| {
        for command in ["run", "rebuild", "verify"] {
            let outcome = project.program.run([command]);
            let stderr = stderr_of_failure(&outcome);
            assert!(stderr.contains(sentence), "{command}: {stderr}");
        }
        assert!(store.change(|contents| contents.objects.keys().all(|key| key == "warehouse/svod.json")));
    };
    write_keys(&project.program.project, "another");
    says(&project, "the store of `s3://svod` refuses the keys; check `access_key` and `secret_key` of `lake`");
    write_keys(&project.program.project, "\n");
    says(&project, "`secret_key`: the secret in `secret` is empty");
    write_keys(&project.program.project, "s3cret");
    let missing = RunProject::with("", &lake_at(&address, "nothing", ""));
    write_keys(&missing.program.project, "s3cret");
    says(&missing, "the store has no bucket `nothing`; make it");
    for conditions in [Conditions::Unknown, Conditions::Ignored] {
        store.change(|contents| contents.conditions = conditions);
        says(&project, "the store of `s3://svod` does not know conditional writes");
    }
    store.change(|contents| contents.conditions = Conditions::Kept);
    fs_err::create_dir_all(project.data().join("lake/events/cases")).unwrap();
    says(&project, "copy the folders `lake` and `snapshots` into the bucket");
    fs_err::remove_dir_all(project.data().join("lake")).unwrap();
    project.program.succeed(["run"]);
    project.write(
        "svod.yaml",
        &fs_err::read_to_string(project.program.project.join("svod.yaml"))
            .unwrap()
            .replace("prefix: warehouse", "prefix: other"),
    );
    let outcome = project.program.run(["run"]);
    assert!(
        stderr_of_failure(&outcome).contains("this data directory belongs to s3://svod/warehouse at http://127.0.0.1")
    );
}

#[test]
fn a_store_that_goes_away_loses_nothing() {
    let undisturbed = RunProject::new();
    undisturbed.write_registers();
    undisturbed.program.succeed(["run"]);
    let (events, figures) = (undisturbed.events(), undisturbed.figures());
    let store = S3Server::default();
    let address = store.serve_apart();
    store.change(|contents| contents.n_writes_left = Some(1000));
    let project = small_project(&address);
    project.write_registers();
    project.program.succeed(["run"]);
    let n_all = 1000 - store.change(|contents| contents.n_writes_left.take()).unwrap();
    for n_writes in [n_all / 6, n_all / 2, n_all - 1] {
        store.change(|contents| contents.objects.clear());
        let project = small_project(&address);
        project.write_registers();
        store.change(|contents| contents.n_writes_left = Some(n_writes));
        let outcome = project.program.run(["run"]);
        let told = format!("{}{}", outcome.stdout, stderr_of_failure(&outcome));
        assert!(told.contains("does not answer as it should; nothing that is committed is lost"), "{told}");
        store.change(|contents| contents.n_writes_left = None);
        project.program.succeed(["run"]);
        assert_eq!((project.events(), project.figures()), (events.clone(), figures.clone()), "{n_writes} writes");
        assert!(project.program.succeed(["verify"]).contains("sound"));
    }
}

#[test]
fn an_answer_that_is_lost_doubles_nothing() {
    let undisturbed = RunProject::new();
    undisturbed.write_registers();
    undisturbed.program.succeed(["run"]);
    let (events, figures) = (undisturbed.events(), undisturbed.figures());
    let store = S3Server::default();
    let address = store.serve_apart();
    let logs =
        ["events/cases", "entities/cases", "entities/runs"].map(|table| format!("{table}/_delta_log/{:020}.json", 1));
    for lost in logs.into_iter().chain(["snapshots/000001.json".to_owned(), "warehouse/svod.json".to_owned()]) {
        store.change(|contents| {
            contents.objects.clear();
            contents.forgets_answer = Some(lost.clone());
        });
        let project = small_project(&address);
        project.write_registers();
        project.program.succeed(["run"]);
        assert!(store.change(|contents| contents.forgets_answer.is_none()), "{lost} was never written");
        assert_eq!((project.events(), project.figures()), (events.clone(), figures.clone()), "{lost}");
        assert!(project.program.succeed(["verify"]).contains("sound"), "{lost}");
    }
}

#[test]
fn a_killed_server_is_followed_by_another_with_nothing_lost_or_doubled() {
    let undisturbed = RunProject::new();
    undisturbed.write_registers();
    undisturbed.program.succeed(["run"]);
    let (events, figures) = (undisturbed.events(), undisturbed.figures());
    let store = S3Server::default();
    let address = store.serve_apart();
    let mut project = small_project(&address);
    project.write_registers();
    let start = std::time::Instant::now();
    project.program.succeed(["run"]);
    let run_time = start.elapsed();
    for kill in 1..6 {
        store.change(|contents| contents.objects.clear());
        let killed = other_server(&project.program);
        let mut child = killed.command(["run"]).spawn().unwrap();
        sleep(run_time * kill / 6 + Duration::from_millis(3));
        child.kill().unwrap();
        child.wait().unwrap();
        let heir = other_server(&project.program);
        // Where the first server never got to its key, the heir makes one.
        if killed.data.path().join("pseudonym.key").exists() {
            copy_key(&killed, &heir);
        }
        heir.succeed(["run"]);
        project.program = heir;
        assert_eq!((project.events(), project.figures()), (events.clone(), figures.clone()), "killed at {kill}/6");
        assert!(project.program.succeed(["verify"]).contains("sound"), "killed at {kill}/6");
    }
}
