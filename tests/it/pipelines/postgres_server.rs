//! A PostgreSQL of the test's own, in a folder that is thrown away.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Config, NoTls};

/// Password of the user `svod`.
pub(super) const PASSWORD: &str = "s3cret";

/// A running server with a database `register`.
pub(super) struct PostgresServer {
    folder: tempfile::TempDir,
    pub(super) port: u16,
    process: Child,
}

impl PostgresServer {
    /// Makes a database cluster and starts its server on a free port. With `tls`, its certificate and key in PEM.
    pub(super) async fn start(tls: Option<(&str, &str)>) -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().unwrap();
        let user = UnprivilegedUser::owner_of(folder.path());
        let data = folder.path().join("data");
        let mut initdb = user.command(&programs.join("initdb"));
        initdb
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username=owner", "--auth=trust", "-D"])
            .arg(&data);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // The owner comes in by the socket, everybody else by password.
        let mut rules = "local all owner trust\nhost all all 127.0.0.1/32 scram-sha-256\n".to_owned();
        let mut settings = "fsync = off\nlisten_addresses = '127.0.0.1'\nlogging_collector = off\n".to_owned();
        if let Some((certificate, key)) = tls {
            user.write(&data.join("server.crt"), certificate);
            user.write(&data.join("server.key"), key);
            settings.push_str("ssl = on\n");
            rules = rules.replace("host ", "hostssl ");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let socket = folder.path().display();
        let place = format!("port = {port}\nunix_socket_directories = '{socket}'\n");
        let configuration = fs_err::read_to_string(data.join("postgresql.conf")).unwrap() + &settings + &place;
        user.write(&data.join("postgresql.conf"), &configuration);
        user.write(&data.join("pg_hba.conf"), &rules);
        let mut server = user.command(&programs.join("postgres"));
        let log = fs_err::File::create(folder.path().join("server.log")).unwrap().into_file();
        let process =
            server.arg("-D").arg(&data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Self { folder, port, process };
        server.wait_until_ready().await;
        server.execute("postgres", "CREATE DATABASE register").await;
        server.execute("register", &format!("CREATE ROLE svod LOGIN PASSWORD '{PASSWORD}'")).await;
        server
    }

    /// The connection string of the user `svod`.
    pub(super) fn connection(&self, more: &str) -> String {
        format!("postgres://svod:{PASSWORD}@127.0.0.1:{}/register{more}", self.port)
    }

    /// The connection string of the user `svod` by the socket.
    pub(super) fn socket(&self) -> String {
        format!("host={} port={} user=owner dbname=register", self.folder.path().display(), self.port)
    }

    /// A connection of the owner.
    pub(super) async fn owner(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = Config::new();
        config.host_path(self.folder.path()).port(self.port).user("owner").dbname(database);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Runs statements as the owner.
    pub(super) async fn execute(&self, database: &str, statements: &str) {
        self.owner(database).await.unwrap().batch_execute(statements).await.unwrap();
    }

    async fn wait_until_ready(&self) {
        let started = Instant::now();
        while let Err(error) = self.owner("postgres").await {
            let log = fs_err::read_to_string(self.folder.path().join("server.log")).unwrap();
            assert!(started.elapsed() < Duration::from_mins(1), "PostgreSQL does not start: {error}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder of the server's programs, newest version first.
fn programs() -> PathBuf {
    let mut folders: Vec<PathBuf> =
        ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"]
            .iter()
            .flat_map(|pattern| glob::glob(pattern).unwrap().flatten())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()))
            .filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
            .collect();
    folders.sort();
    let absent = "no PostgreSQL server on this machine: install one, e.g. with `apt-get install postgresql`";
    folders.pop().unwrap_or_else(|| panic!("{absent}"))
}

/// Who runs the server, which refuses to be run by root.
struct UnprivilegedUser {
    as_nobody: bool,
}

/// User and group of `nobody` on every Linux.
const NOBODY: u32 = 65_534;

impl UnprivilegedUser {
    /// The user of the test, or `nobody`, to whom the folder is given.
    fn owner_of(folder: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let as_nobody = fs_err::metadata(folder).unwrap().uid() == 0;
        if as_nobody {
            std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { as_nobody }
    }

    fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        if self.as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Writes a file that only the server may read.
    fn write(&self, path: &Path, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs_err::write(path, text).unwrap();
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if self.as_nobody {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}
