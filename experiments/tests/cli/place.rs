//! A folder to run the program in.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Linear, so that no variable is trained: less than a second.
pub(crate) const LINEAR: &str = "
name = 'linear'

[data]
train = 1500
validation = 300
test = 300
dci_train = 500

[data.scaling]
d = 2
graph = 'full'

[mechanisms.regression.phase]
steps = 20

[eval.dci]
trees = 10
";

/// Trains networks in phases, though the data is linear, with a checkpoint every few steps.
pub(crate) const TRAINED: &str = "
base = 'linear.toml'
name = 'trained'

[data]
train = 600

[variables.thin]
skip_above = 2.0

[variables.thin.flow]
rounds = 2
phase = { steps = 400, batch = 32, optimizer = { basis = {} } }
decoding = { steps = 100, batch = 32 }

[mechanisms.regression.phase]
steps = 200

[checkpoints]
every = 10
";

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A folder with the two configurations above.
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write("linear.toml", LINEAR);
        place.write("trained.toml", TRAINED);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    pub(crate) fn domino(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran::new(&output)
    }

    /// Runs the program and demands success.
    pub(crate) fn succeeds(&self, arguments: &str) -> Ran {
        let ran = self.domino(arguments);
        assert_eq!(ran.code, Some(0), "domino {arguments}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    pub(crate) fn start(&self, arguments: &str) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_domino"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command
    }
}

/// What a run of the program left behind.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
