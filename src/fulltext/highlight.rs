//! `highlight`: fragments of a text in which the tokens of a query are marked.

use std::collections::HashSet;

use ::analyzer::Highlighter;
use memory::Grow;
use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED};

use super::analyzer::Analyzer;
use crate::pg::array::Texts;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, pg_functions};

/// Bytes of a query.
const MAX_QUERY: usize = 1 << 20;

pg_functions! {
    /// The fragments, as Milvus's lexical highlighter makes them.
    fn highlight(
        document: String,
        query: String,
        analyzer: String,
        style: Style,
    ) -> Result<Texts, Report> {
        let highlighter = style.highlighter()?;
        if query.len() > MAX_QUERY {
            let message = format!("query has {} bytes, max {MAX_QUERY}", query.len());
            return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
        }
        let analyzer = Analyzer::new(&analyzer)?;
        let mut wanted = HashSet::new();
        analyzer.tokens(&query, &mut |token| {
            wanted.insert(token.text.to_owned());
        })?;
        let (mut matches, mut room) = (Vec::new(), Ok(()));
        analyzer.places(&document, &mut |token, start, end| {
            if room.is_ok() && wanted.contains(token) {
                room = matches.try_push((start, end));
            }
        })?;
        room?;
        Ok(Texts(highlighter.fragments(&document, matches)?))
    }
}

/// How matches are marked, and what is shown: tags before, tags after, offset, size, and number of
/// fragments.
struct Style {
    pre_tags: Texts,
    post_tags: Texts,
    fragment_offset: i32,
    fragment_size: i32,
    num_of_fragments: i32,
}

impl Argument<'_> for Style {
    const COUNT: usize = 5;

    fn take(args: &mut Args) -> Result<Style, Report> {
        Ok(Style {
            pre_tags: args.take()?,
            post_tags: args.take()?,
            fragment_offset: args.take()?,
            fragment_size: args.take()?,
            num_of_fragments: args.take()?,
        })
    }
}

impl Style {
    fn highlighter(&self) -> Result<Highlighter<'_>, Report> {
        Ok(Highlighter {
            pre_tags: tags("pre_tags", &self.pre_tags)?,
            post_tags: tags("post_tags", &self.post_tags)?,
            fragment_offset: number("fragment_offset", self.fragment_offset, 0)?,
            fragment_size: number("fragment_size", self.fragment_size, 1)?,
            fragments: number("num_of_fragments", self.num_of_fragments, 0)?,
        })
    }
}

fn tags<'a>(name: &str, Texts(tags): &'a Texts) -> Result<Vec<&'a str>, Report> {
    if tags.is_empty() {
        let message = format!("{name} must not be empty");
        return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
            .hint("Use ARRAY[''] to write nothing."));
    }
    Ok(tags.iter().map(String::as_str).collect())
}

fn number(name: &str, value: i32, least: usize) -> Result<usize, Report> {
    usize::try_from(value).ok().filter(|value| *value >= least).ok_or_else(|| {
        let message = format!("{name} must be at least {least}, but is {value}");
        Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
    })
}
