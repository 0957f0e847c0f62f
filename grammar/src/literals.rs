//! Builds string constants and f-strings from the literals that stand next to each other. Methods of `Nodes`.

use crate::ast::*;
use crate::items::{FStringPart, Field, StringPart};
use crate::nodes::Nodes;
use crate::strings;

/// The literal that a part of an f-string belongs to. As CPython 3.11 does, all parts get the span of the
/// whole, and only format specifications, with the text at their end, that of their own literal.
#[derive(Clone, Copy)]
struct Place {
    raw: bool,
    /// All adjacent literals.
    whole: Span,
    /// This one alone.
    own: Span,
}

/// The values of an f-string so far; neighbouring texts are one constant.
#[derive(Default)]
struct Values {
    values: Vec<Expr>,
    text: String,
}

impl Values {
    fn flush(&mut self, nodes: &Nodes, span: Span) {
        if !self.text.is_empty() {
            let value = Constant::Str(std::mem::take(&mut self.text).into());
            self.values.push(nodes.constant(value, span.start, span.end));
        }
    }

    fn into_joined(mut self, nodes: &Nodes, span: Span) -> Expr {
        self.flush(nodes, span);
        nodes.expr(ExprKind::JoinedStr { values: self.values }, span.start, span.end)
    }
}

impl<'s> Nodes<'s> {
    /// Adjacent literals, made one.
    pub fn strings(&self, parts: Vec<StringPart<'s>>, l: u32, r: u32) -> Expr {
        if let [StringPart::Plain(text, span)] = parts.as_slice() {
            let value = self.literal(text, *span);
            return self.constant(value, l, r);
        }
        let span = Span::new(l, r);
        let mut values = Values::default();
        let mut bytes: Option<Vec<u8>> = None;
        let (mut has_text, mut has_fields) = (false, false);
        for part in parts {
            match part {
                StringPart::Plain(text, span) => match self.literal(text, span) {
                    Constant::Bytes(more) => bytes.get_or_insert_default().extend_from_slice(&more),
                    Constant::Str(more) => {
                        has_text = true;
                        values.text.push_str(&more);
                    }
                    _ => {}
                },
                StringPart::Formatted { opening, parts, span: own } => {
                    (has_text, has_fields) = (true, true);
                    let place = Place { raw: strings::is_raw(opening), whole: span, own };
                    self.fstring(&mut values, place, parts);
                }
            }
        }
        if bytes.is_some() && has_text {
            self.problem(self.next_token(r), "cannot mix bytes and nonbytes literals");
        }
        match bytes {
            _ if has_fields => values.into_joined(self, span),
            Some(bytes) => self.constant(Constant::Bytes(bytes.into()), l, r),
            None => self.constant(Constant::Str(values.text.into()), l, r),
        }
    }

    fn literal(&self, text: &str, span: Span) -> Constant {
        self.invalid_escape(strings::invalid_escape(text), span);
        strings::value(text).unwrap_or_else(|message| {
            self.problem(self.next_token(span.end), message);
            Constant::None
        })
    }

    /// Adds the parts of one f-string, or of a format specification in it.
    fn fstring(&self, values: &mut Values, place: Place, parts: Vec<FStringPart<'s>>) {
        for part in parts {
            match part {
                FStringPart::Text(text, span) => self.fstring_text(values, place.raw, text, span),
                FStringPart::Field(field) => self.field(values, place, *field),
            }
        }
    }

    fn fstring_text(&self, values: &mut Values, raw: bool, text: &str, span: Span) {
        let text = text.replace("{{", "{").replace("}}", "}");
        self.invalid_escape(strings::invalid_escape_in_text(&text, raw), span);
        // A backslash before a brace is itself.
        let backslashes = text.len() - text.trim_end_matches('\\').len();
        let (text, last) = text.split_at(text.len() - usize::from(!raw && backslashes % 2 == 1));
        match strings::text_value(text, raw) {
            Ok(text) => {
                values.text.push_str(&text);
                values.text.push_str(last);
            }
            Err(message) => self.problem(span, message),
        }
    }

    fn field(&self, values: &mut Values, place: Place, field: Field<'s>) {
        let span = place.whole;
        if let ExprKind::Starred { .. } = field.value.kind {
            self.problem(field.value.span, "f-string: cannot use starred expression here");
        }
        if let Some(end) = field.shown {
            let next = self.next_token(end).start;
            values.text.push_str(Span::new(field.span.start + 1, next).of(self.source));
        }
        values.flush(self, span);
        let format_spec = field.spec.map(|parts| {
            let mut spec = Values::default();
            self.fstring(&mut spec, place, parts);
            Box::new(spec.into_joined(self, place.own))
        });
        let by_default = (field.shown.is_some() && format_spec.is_none()).then_some('r');
        let conversion = match field.conversion {
            None => by_default,
            Some((name, at)) => self.conversion(name, at, self.next_token(span.end)),
        };
        let kind = ExprKind::FormattedValue { value: Box::new(field.value), conversion, format_spec };
        values.values.push(self.expr(kind, span.start, span.end));
    }

    /// The letter of a conversion, which has no blanks around it; `place` is where errors are shown.
    fn conversion(&self, name: &str, at: Span, place: Span) -> Option<char> {
        let letter = name.chars().next().filter(|_| matches!(name, "s" | "r" | "a"));
        let (before, after) = (self.source.get(..at.start as usize), self.source.get(at.end as usize..));
        if letter.is_none() || !before.is_some_and(|text| text.ends_with('!')) {
            self.problem(place, "f-string: invalid conversion character: expected 's', 'r', or 'a'");
        } else if !after.is_some_and(|text| text.starts_with(['}', ':'])) {
            self.problem(place, "f-string: expecting '}'");
        }
        letter
    }
}
