//! What a process has cost, as Linux tells it in /proc.

use std::time::Duration;

/// The processes that `parent` has started, and itself.
pub fn family(parent: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(parent).chain(children).collect()
}

/// CPU time so far, in user and kernel mode.
#[derive(Clone, Copy)]
pub struct CpuTime(Duration);

impl CpuTime {
    /// Of some processes together.
    pub fn of(processes: &[u32]) -> Self {
        Self(processes.iter().map(|process| cpu_time(*process)).sum())
    }

    /// What was added since an earlier time.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The 14th and 15th field count ticks of 10 ms; fields are counted from behind the name, which may hold anything.
fn cpu_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The proportional set size of some processes together in MiB.
pub fn memory_mebibytes(processes: &[u32]) -> f64 {
    let file = |process| std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    processes.iter().map(|process| kibibytes(&file(process), "Pss:") as f64 / 1024.0).sum()
}

/// Forgets the peak so far.
pub fn reset_peak(processes: &[u32]) {
    for process in processes {
        // Without the permission the peak is that of the whole run.
        let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
    }
}

/// The largest resident set of each process since [`reset_peak`], summed, in MiB.
pub fn peak_mebibytes(processes: &[u32]) -> f64 {
    let file = |process| std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    processes.iter().map(|process| kibibytes(&file(process), "VmHWM:") as f64 / 1024.0).sum()
}

fn kibibytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
