//! How much memory a process has.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Resident bytes of a process, with all that its memory files hold (memfd_create(2)): of these the kernel
/// counts as resident only what the process has read.
///
/// # Errors
/// When there is no such process.
pub fn resident(pid: u32) -> io::Result<u64> {
    let process = Path::new("/proc").join(pid.to_string());
    let status = std::fs::read_to_string(process.join("status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib << 10).ok_or_else(|| io::Error::other(format!("no {name} of {pid}")))
    };
    let mut files = 0;
    for file in std::fs::read_dir(process.join("fd"))? {
        let path = file?.path();
        // One that was closed meanwhile holds nothing.
        if std::fs::read_link(&path).is_ok_and(|at| at.to_string_lossy().starts_with("/memfd:")) {
            files += std::fs::metadata(&path).map_or(0, |data| data.blocks() * 512);
        }
    }
    let mapped = if files > 0 { field("RssShmem:")? } else { 0 };
    Ok(field("VmRSS:")? - mapped + files)
}
