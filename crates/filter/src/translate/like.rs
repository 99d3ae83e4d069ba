//! Patterns of LIKE, which mean in Milvus what they mean in SQL.

/// A pattern, as far as it matters how it is tested.
#[derive(Debug, PartialEq)]
pub(crate) enum Pattern {
    /// Matches this text only.
    Exact(String),
    /// Has `%` or `_`.
    Wild,
}

/// Looks into a pattern. `None` when it ends within an escape.
pub(crate) fn analyse(pattern: &str) -> Option<Pattern> {
    let mut exact = String::with_capacity(pattern.len());
    let mut wild = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => exact.push(chars.next()?),
            '%' | '_' => wild = true,
            c => exact.push(c),
        }
    }
    Some(if wild { Pattern::Wild } else { Pattern::Exact(exact) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_no_wildcards() {
        assert_eq!(analyse(r"50\%\\"), Some(Pattern::Exact(r"50%\".into())));
        assert_eq!(analyse("a_b"), Some(Pattern::Wild));
        assert_eq!(analyse(r"a%\"), None);
    }
}
