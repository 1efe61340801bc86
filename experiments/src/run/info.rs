use std::fs;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::report::RunInfo;

/// Packages whose versions the numbers depend on.
const PACKAGES: [&str; 4] = ["domino", "burn", "nalgebra", "chacha20"];

/// The versions that this program was built with.
const LOCK_FILE: &str = include_str!("../../../Cargo.lock");

/// Clock ticks per second in which Linux counts processor time.
const TICKS_PER_SECOND: f64 = 100.0;

/// When and where a run began.
#[derive(Debug)]
pub struct Start {
    instant: Instant,
    started: String,
    revision: String,
}

impl Start {
    /// Now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), started: rfc3339(since.as_secs()), revision: revision() }
    }

    /// What is known of the run by now; times are those of this process.
    pub fn info(&self, device: &str, checksum: &str, command_line: &str) -> RunInfo {
        RunInfo {
            revision: self.revision.clone(),
            versions: PACKAGES.iter().filter_map(|name| locked(name)).collect(),
            device: device.to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            host: host(),
            started: self.started.clone(),
            wall_seconds: self.instant.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds().unwrap_or(0.0),
            data_checksum: checksum.to_owned(),
            command_line: command_line.to_owned(),
        }
    }
}

/// Name and version of a package in the lock file.
fn locked(name: &str) -> Option<(String, String)> {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let at = LOCK_FILE.find(&entry)? + entry.len();
    let version = LOCK_FILE[at..].split('"').next()?;
    Some((name.to_owned(), version.to_owned()))
}

/// The revision of the source folder that this program was built in, while it is there.
fn revision() -> String {
    let git = |args: &[&str]| {
        let source = env!("CARGO_MANIFEST_DIR");
        let output = Command::new("git").arg("-C").arg(source).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(revision) = git(&["rev-parse", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let dirty = if changed.is_some_and(|text| !text.is_empty()) { "-dirty" } else { "" };
    format!("{revision}{dirty}")
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}

/// Processor time of this process, where Linux tells.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The command in parentheses may hold spaces; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Seconds since 1970 as a date and time, UTC.
///
/// The date is Hinnant's `civil_from_days`: years begin in March, eras last 400 of them.
fn rfc3339(seconds: u64) -> String {
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_302_521), "2026-11-21T23:08:41Z");
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        assert_eq!(locked("domino"), Some(("domino".to_owned(), "0.1.0".to_owned())));
        assert!(PACKAGES.iter().all(|name| locked(name).is_some()));
        assert_eq!(locked("no such package"), None);
    }
}
