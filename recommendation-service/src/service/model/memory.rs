//! How much memory a training may take: what is free, by the machine and by the limits of the process's container.

use std::fs;

use super::training::TrainingError;

/// Fails when `bytes` are more than `limit`, or more than the allocator has; so that a training ends with an error and not
/// with the end of the whole process.
///
/// # Errors
/// [`TrainingError::OutOfMemory`].
pub fn check(bytes: usize, limit: Option<usize>) -> Result<(), TrainingError> {
    let is_too_much = limit.is_some_and(|limit| bytes > limit);
    if is_too_much || Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        return Err(TrainingError::OutOfMemory { megabytes: bytes.div_ceil(1_000_000) });
    }
    Ok(())
}

/// Bytes that are free; `None` where the operating system does not say.
pub fn available() -> Option<usize> {
    let of_machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| meminfo_available(&text));
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let below = |limit: &str, used: &str| Some(number(limit)?.saturating_sub(number(used)?));
    // Inside a container these are its own; the second pair is that of version 1 of control groups.
    let of_container = below("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current").or_else(|| {
        below("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
    });
    of_machine.into_iter().chain(of_container).min()
}

fn meminfo_available(text: &str) -> Option<usize> {
    let value = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_the_limit_or_than_there_is_fails() {
        assert_eq!(check(1_000_000, Some(1_000_000)), Ok(()));
        assert_eq!(check(1_000_001, Some(1_000_000)), Err(TrainingError::OutOfMemory { megabytes: 2 }));
        assert!(check(usize::MAX, None).is_err());
    }

    #[test]
    fn free_memory_is_read_in_bytes() {
        let text = "MemTotal:       24683656 kB\nMemFree:        12930048 kB\nMemAvailable:   22665216 kB\n";
        assert_eq!(meminfo_available(text), Some(22_665_216 * 1_024));
        assert_eq!(meminfo_available("MemTotal: 5 kB\n"), None);
    }
}
