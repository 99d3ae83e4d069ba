//! Conditions on JSON documents in SQL's path language, in the forms that GIN indexes know.
//!
//! All are in strict mode, in which what is missing or of the wrong type makes the condition unknown,
//! as in Milvus, and arrays are not unwrapped on the quiet.

use crate::syntax::{Arithmetic, Comparison, Step};
use crate::value::Value;

/// The way to a value in a document.
pub(crate) fn accessor(path: &[Step]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => format!(".{}", quoted(key)),
        Step::Index(index) => format!("[{index}]"),
    });
    std::iter::once("$".to_owned()).chain(steps).collect()
}

/// `value op constant`, or `None` when the constant has no order.
pub(crate) fn comparison(path: &[Step], operator: Comparison, value: &Value) -> Option<String> {
    let list = matches!(value, Value::List(_));
    match operator {
        Comparison::NotEqual => Some(none_of(path, std::slice::from_ref(value))),
        Comparison::Equal if list => Some(one_of(path, std::slice::from_ref(value))),
        _ if list => None,
        _ => Some(format!("strict {} {} {}", accessor(path), symbol(operator), literal(value))),
    }
}

/// The value equals one of the constants.
pub(crate) fn one_of(path: &[Step], values: &[Value]) -> String {
    format!("strict exists({} ? ({}))", accessor(path), equals_one("@", values))
}

/// The value is of the type of some of the constants, and equals none of these.
pub(crate) fn none_of(path: &[Step], values: &[Value]) -> String {
    let mut kinds = Vec::new();
    for kind in ["number", "string", "boolean", "array"] {
        let of_kind = |value: &&Value| kind_of(value) == kind;
        let conditions: Vec<_> = values.iter().filter(of_kind).map(differs).collect();
        if !conditions.is_empty() {
            kinds.push(format!("(@.type() == \"{kind}\" && {})", join(&conditions, "&&")));
        }
    }
    format!("strict exists({} ? ({}))", accessor(path), join(&kinds, "||"))
}

/// The value is an array with an element that equals one of the constants; or not.
pub(crate) fn contains_any(path: &[Step], values: &[Value], negated: bool) -> Option<String> {
    let elements = accessor(path);
    let any = format!("exists({elements}[*] ? ({}))", equals_one("@", values));
    match (values.is_empty(), negated) {
        (true, false) => None,
        (true, true) => Some(is_array(path)),
        (false, false) => Some(format!("strict {any}")),
        (false, true) => Some(format!("{} && !{any}", is_array(path))),
    }
}

/// The value is an array with all of the constants among its elements; or not.
pub(crate) fn contains_all(path: &[Step], values: &[Value], negated: bool) -> Option<String> {
    let elements = accessor(path);
    let each: Vec<_> = values
        .iter()
        .map(|value| format!("exists({elements}[*] ? ({}))", equals("@", value)))
        .collect();
    match (values.is_empty(), negated) {
        (true, false) => Some(is_array(path)),
        (true, true) => None,
        (false, false) => Some(format!("strict {}", join(&each, "&&"))),
        (false, true) => Some(format!("{} && !({})", is_array(path), join(&each, "&&"))),
    }
}

/// The value is an array of so many elements.
pub(crate) fn length(path: &[Step], operator: Comparison, length: i64) -> String {
    format!("strict {}.size() {} {length}", accessor(path), symbol(operator))
}

/// There is a value that is more than null and empty containers of such.
pub(crate) fn exists(path: &[Step]) -> String {
    let kinds = ["null", "object", "array"].map(|kind| format!("@.type() != \"{kind}\""));
    format!("strict exists({}.** ? ({}))", accessor(path), kinds.join(" && "))
}

/// The value is a string.
pub(crate) fn is_text(path: &[Step]) -> String {
    format!("strict {}.type() == \"string\"", accessor(path))
}

/// The value is an integer of 64 bits.
pub(crate) fn is_integer(path: &[Step]) -> String {
    let value = accessor(path);
    format!(
        "strict {value}.floor() == {value} && {value} >= {} && {value} <= {}",
        i64::MIN,
        i64::MAX
    )
}

/// `value op number … op number`, all of them numbers. `None` where the language has no such operator,
/// or none whose result another could take.
pub(crate) fn arithmetic(
    path: &[Step],
    steps: &[(Arithmetic, Value)],
    comparison: Comparison,
    result: &Value,
) -> Option<String> {
    let comparison = symbol(comparison);
    if let [(Arithmetic::Divide, operand)] = steps {
        return Some(division(path, operand, comparison, result));
    }
    let value = steps.iter().try_fold(accessor(path), |value, (operator, operand)| {
        let sign = match operator {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Modulo => "%",
            _ => return None,
        };
        Some(format!("({value} {sign} ({}))", literal(operand)))
    })?;
    Some(format!("strict {value} {comparison} {}", literal(result)))
}

/// `value / operand op result`
fn division(path: &[Step], operand: &Value, comparison: &str, result: &Value) -> String {
    let (value, operand) = (accessor(path), literal(operand));
    let integers = matches!(result, Value::Int(_)) && !operand.contains(['.', 'e']);
    let result = literal(result);
    if !integers {
        return format!("strict {value} / ({operand}) {comparison} {result}");
    }
    // Integers divided are an integer, rounded towards 0.
    let quotient = format!("(@ / ({operand}))");
    let whole = "@.floor() == @";
    format!(
        "strict exists({value} ? (\
         ({whole} && {quotient} >= 0 && {quotient}.floor() {comparison} {result}) || \
         ({whole} && {quotient} < 0 && {quotient}.ceiling() {comparison} {result}) || \
         (@.floor() != @ && {quotient} {comparison} {result})))"
    )
}

fn is_array(path: &[Step]) -> String {
    format!("strict {}.type() == \"array\"", accessor(path))
}

fn equals_one(place: &str, values: &[Value]) -> String {
    let conditions: Vec<_> = values.iter().map(|value| equals(place, value)).collect();
    join(&conditions, "||")
}

/// What stands at `place` equals the constant, lists element by element.
fn equals(place: &str, value: &Value) -> String {
    let Value::List(elements) = value else {
        return format!("{place} == {}", literal(value));
    };
    let size = format!("{place}.type() == \"array\" && {place}.size() == {}", elements.len());
    let each = elements.iter().enumerate();
    let each = each.map(|(index, element)| equals(&format!("{place}[{index}]"), element));
    format!("({})", join(&std::iter::once(size).chain(each).collect::<Vec<_>>(), "&&"))
}

/// What is tested, which has the type of the constant, differs from it.
fn differs(value: &Value) -> String {
    let equal = equals("@", value);
    match value {
        // Elements of other types make the equation unknown.
        Value::List(_) => format!("(!({equal}) || ({equal}) is unknown)"),
        _ => format!("@ != {}", literal(value)),
    }
}

/// A balanced tree of the conditions: the host's recursion is as deep as the tree.
fn join(conditions: &[String], operator: &str) -> String {
    match conditions {
        [] => String::new(),
        [one] => one.clone(),
        _ => {
            let (left, right) = conditions.split_at(conditions.len() / 2);
            format!("({} {operator} {})", join(left, operator), join(right, operator))
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Float(_) | Value::Decimal(_) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
    }
}

fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:e}"),
        // As a float, as in Milvus; one that is none does not get past the lexer.
        Value::Decimal(text) => format!("{:e}", text.parse::<f64>().unwrap_or_default()),
        Value::Text(text) => quoted(text),
        Value::List(_) => "null".into(), // Lists are compared element by element.
    }
}

/// A string or a key. Nothing but a quote or a backslash has a meaning inside of quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> [Step; 2] {
        [Step::Key("a".into()), Step::Index(0)]
    }

    #[test]
    fn keys_and_strings_cannot_leave_their_quotes() {
        let path = [Step::Key(r#"k" == 1 || $."x\"#.into())];
        assert_eq!(
            comparison(&path, Comparison::Equal, &"\" || true\n\\".into()).as_deref(),
            Some(r#"strict $."k\" == 1 || $.\"x\\" == "\" || true\u000a\\""#)
        );
    }

    #[test]
    fn lists_are_balanced() {
        assert_eq!(
            one_of(&path(), &[1.into(), 2.into(), "x".into()]),
            r#"strict exists($."a"[0] ? ((@ == 1 || (@ == 2 || @ == "x"))))"#
        );
        assert_eq!(
            none_of(&path(), &[1.into(), "x".into(), 2.into()]),
            "strict exists($.\"a\"[0] ? (((@.type() == \"number\" && (@ != 1 && @ != 2)) || \
             (@.type() == \"string\" && @ != \"x\"))))"
        );
    }

    #[test]
    fn arrays_are_compared_by_their_elements() {
        let equal = r#"((@.type() == "array" && @.size() == 1 && @[0] == 7))"#;
        assert_eq!(equals("@", &vec![7].into()), equal);
        assert_eq!(comparison(&path(), Comparison::Less, &vec![7].into()), None);
    }
}
