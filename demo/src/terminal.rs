//! Output: steps, numbers and one line that moves.

use std::io::{IsTerminal, Write, stdout};

/// Columns that lines are cut to.
const WIDTH: usize = 100;

/// A step of the demo: its name and what it does.
pub fn step(name: &str, what: &str) {
    println!("{name:<10} {what}");
}

/// What a step has to add, under it.
pub fn detail(what: &str) {
    println!("{:<10} {what}", "");
}

/// A line that the next one overwrites; nothing where the output is not a terminal.
pub fn passing(what: &str) {
    if stdout().is_terminal() {
        print!("\r\x1b[K{:<10} {}", "", cut(what, WIDTH - 11));
        // Only a picture of progress: that it cannot be drawn is no failure.
        let _ = stdout().flush();
    }
}

/// Clears what [`passing`] left.
pub fn passed() {
    if stdout().is_terminal() {
        print!("\r\x1b[K");
    }
}

/// A bar of 30 places.
pub fn bar(done: i64, total: i64) -> String {
    let full = usize::try_from(30 * done / total.max(1)).unwrap_or(0).min(30);
    format!("[{}{}] {:>3} %", "#".repeat(full), ".".repeat(30 - full), 100 * done / total.max(1))
}

/// A whole number with commas between thousands: 12,000.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The text, cut to so many characters where it is longer.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        assert_eq!(thousands(7.4), "7");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }

    #[test]
    fn cut_counts_characters() {
        assert_eq!(cut("naïve", 5), "naïve");
        assert_eq!(cut("naïvely", 5), "naïv…");
    }

    #[test]
    fn bar_is_full_at_the_end_and_safe_without_a_total() {
        assert!(bar(3, 3).starts_with(&format!("[{}]", "#".repeat(30))));
        assert!(bar(0, 0).ends_with("  0 %"));
    }
}
