//! From text to words.

use super::Span;
use super::number;
use super::token::{Keyword, Quoted, Symbol, Token, Word};
use crate::error::Error;

/// The words of `text`, the last of which is [`Word::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let start = at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let (word, length) = word(&text[start..], start)?;
        at = start + length;
        tokens.push(Token { word, span: Span { start, end: at } });
        if word == Word::End {
            return Ok(tokens);
        }
    }
}

/// The word that `text` begins with, and its length.
fn word(text: &str, start: usize) -> Result<(Word<'_>, usize), Error> {
    let Some(first) = text.chars().next() else {
        return Ok((Word::End, 0));
    };
    if let Some((prefix, raw)) = string_prefix(text) {
        let (body, length) = quoted(&text[prefix..], start)?;
        return Ok((Word::Text(Quoted { body, raw }), prefix + length));
    }
    if number::begins(text) {
        return number::scan(text, start);
    }
    if begins_name(first) || text.starts_with("$meta") {
        let end = name_end(text);
        let name = &text[..end];
        return Ok((Keyword::of(name).map_or(Word::Name(name), Word::Keyword), end));
    }
    match Symbol::at(text) {
        Some((symbol, length)) => Ok((Word::Symbol(symbol), length)),
        None => {
            let span = Span { start, end: start + first.len_utf8() };
            Err(Error::syntax(span, format!("token recognition error at: '{first}'")))
        }
    }
}

/// Length of the prefix of a string that `text` begins with (it may be 0), and whether it means raw.
fn string_prefix(text: &str) -> Option<(usize, bool)> {
    [("", false), ("r", true), ("R", true), ("u8", false), ("u", false), ("U", false), ("L", false)]
        .into_iter()
        .find(|(prefix, _)| {
            text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '\'']))
        })
        .map(|(prefix, raw)| (prefix.len(), raw))
}

/// What stands between the quote that `text` begins with and the next such, and the length of all.
fn quoted(text: &str, start: usize) -> Result<(&str, usize), Error> {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    while let Some((at, c)) = chars.next() {
        if Some(c) == quote {
            return Ok((&text[1..at], at + 1));
        }
        // The character after a backslash, be it a quote, does not end the string.
        let c = if c == '\\' { chars.next().map_or(c, |(_, escaped)| escaped) } else { c };
        if matches!(c, '\r' | '\n') {
            break;
        }
    }
    let span = Span { start, end: start + text.len() };
    Err(Error::syntax(span, "a string without its closing quote").hint("Write line ends as \\n."))
}

/// Letters of any script; Milvus knows those of other scripts by their escapes.
fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Where the name that `text` begins with ends.
fn name_end(text: &str) -> usize {
    let continues = |c: char| c.is_alphanumeric() || c == '_';
    text.char_indices().skip(1).find(|&(_, c)| !continues(c)).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word<'_>> {
        let tokens = tokens(text).expect(text);
        tokens.iter().map(|token| token.word).filter(|word| *word != Word::End).collect()
    }

    fn error(text: &str) -> (usize, String) {
        let error = tokens(text).expect_err(text);
        (error.position, error.message)
    }

    #[test]
    fn keywords_are_in_one_case() {
        assert_eq!(words("and"), [Word::Keyword(Keyword::And)]);
        assert_eq!(words("AND"), [Word::Keyword(Keyword::And)]);
        assert_eq!(words("And"), [Word::Name("And")]);
        assert_eq!(words("True"), [Word::Keyword(Keyword::True)]);
        assert_eq!(words("tRue"), [Word::Name("tRue")]);
        assert_eq!(words("android"), [Word::Name("android")]);
    }

    #[test]
    fn names_have_letters_of_all_scripts() {
        assert_eq!(
            words("颜色 é_1 $meta"),
            [Word::Name("颜色"), Word::Name("é_1"), Word::Name("$meta")]
        );
    }

    #[test]
    fn the_longest_symbol_wins() {
        use Symbol::*;
        assert_eq!(
            words("***<<=!~!=&&&").iter().map(|word| format!("{word:?}")).collect::<Vec<_>>(),
            [Power, Times, ShiftLeft, Assign, MatchesNot, NotEqual, AndAnd, BitAnd]
                .map(|symbol| format!("{:?}", Word::Symbol(symbol)))
        );
    }

    #[test]
    fn strings_keep_their_escapes_for_later() {
        let text = |body, raw| Word::Text(Quoted { body, raw });
        assert_eq!(
            words(r#""a\"b" 'c"' r"\d" u8'x' L"""#),
            [
                text(r#"a\"b"#, false),
                text("c\"", false),
                text(r"\d", true),
                text("x", false),
                text("", false),
            ]
        );
        assert_eq!(words("u8 r"), [Word::Name("u8"), Word::Name("r")]);
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(error("a == \"x").0, 5);
        assert_eq!(error("a == \"x\n\"").0, 5);
        assert_eq!(error("a == 'x\\\n'").0, 5);
        assert_eq!(error("é # 1"), (3, "token recognition error at: '#'".into()));
        assert_eq!(error("a -- ;"), (5, "token recognition error at: ';'".into()));
        assert_eq!(error("a\u{a0}== 1").0, 1);
    }
}
