use super::*;

#[test]
fn patterns_become_the_hosts() {
    for (from, to) in [
        ("abc", "abc"),
        ("", ""),
        ("a.c", "a.c"),
        ("(?-s)a.c", r"a[^\u000A]c"),
        ("(?-s:.).", r"[^\u000A]."),
        ("^a$", r"\Aa\Z"),
        (r"\Aa\z", r"\Aa\Z"),
        ("(?m)^a$", "(?w)^a$"),
        ("^(?m:^)a", r"(?w)\A^a"),
        (r"\d+", "(?:[0-9])+"),
        (r"\s", r"[\u0009-\u000A\u000C-\u000D\u0020]"),
        ("(?i)a1", r"[Aa]1"),
        // The Kelvin sign folds with k.
        ("(?i:k)k", r"[Kk\u212A]k"),
        ("(?P<n>a|bc)*?d", "(?:(?:a|bc))*d"),
        ("a{2}", "(?:a){2,2}"),
        ("a{256}", "(?:(?:a){255,255}){1}(?:a){1,1}"),
        ("a{,3}{", r"a\{\,3\}\{"),
        (r"\Qa.b*\E+", r"a\.b(?:\*)+"),
        (r"a\.\x41\x{42}\103\n", "a\\.ABC\n"),
        ("'; --", r"\'\; \-\-"),
        ("a||b", "a||b"),
        (r"\p{^Han}|\p{Han}", "."),
        (r"[^\x00-\x{10FFFF}]", r"(?:\Zx)"),
        ("^*a", "a"),
        ("(?:^)+a", r"\Aa"),
    ] {
        assert_eq!(translate(from).as_deref(), Ok(to), "{from}");
    }
    let class = translate(r"\p{Han}").unwrap();
    assert!(class.starts_with(r"[\u2E80-\u2E99\u2E9B-") && class.ends_with(']'), "{class}");
}

#[test]
fn what_re2_refuses_is_refused_with_its_place() {
    for (bad, at) in [
        ("*a", 0),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("ab(", 2),
        ("a)", 1),
        ("a(?=a)", 1),
        ("(?!a)", 0),
        ("(?<=a)", 0),
        ("(?<!a)", 0),
        (r"(a)\1", 3),
        ("x[a", 1),
        ("x[z-a]", 2),
        (r"a\", 1),
        (r"\y", 0),
        (r"\_", 0),
        (r"é\é", 2),
        ("a{3,2}", 1),
        ("***:a", 0),
        ("***=a", 0),
        ("(?x)a", 0),
        ("(?u:a)", 0),
        ("a|*", 2),
        ("(*a)", 1),
        (r"\x", 0),
        (r"\xg0", 0),
        (r"\x{110000}", 0),
        (r"\d\d\C", 4),
        (r"\d\p{Klingon}", 2),
        (r"\p{sc=Greek}", 0),
        ("[[:foo:]]", 1),
        ("a{1001}", 1),
        ("(?:a{100}){11}", 10),
        (r"\E", 0),
    ] {
        // Of nested counts the inner one is the mistake.
        let at = if bad.ends_with("{11}") { 4 } else { at };
        let mistake = translate(bad).expect_err(bad);
        assert_eq!((mistake.at, mistake.kind), (at, ErrorKind::Pattern), "{bad}: {mistake:?}");
    }
}

#[test]
fn size_is_limited() {
    for large in [
        "(?:".repeat(1000) + &")".repeat(1000),
        "(?:abcdefghijk){1000}".into(),
        "a".repeat(20_000),
        r"\p{L}".repeat(2000),
        "(?:a|b|ab|ba)*".repeat(400),
        "(?:(?:a|b|ab|ba)*){400}".into(),
    ] {
        let mistake = translate(&large).expect_err("large");
        assert_eq!(mistake.kind, ErrorKind::Limit, "{mistake:?}");
    }
    translate(&"(?:a{2,}".repeat(20)).expect_err("unclosed");
}
