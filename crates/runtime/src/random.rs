//! Randomness for names and secrets.

use std::fmt::Write;
use std::io::Read;

/// 128 random bits from the kernel, as 32 hexadecimal digits: nobody guesses or repeats them.
///
/// # Errors
/// When the kernel's random numbers cannot be read.
pub fn hex() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
