//! Prints a tree the way CPython's `ast.dump(tree, indent=1)` does, so that the two can be compared. Big integers are the
//! one difference: they are printed as `0x…` where the tree holds them so.

use crate::ast::*;

/// The tree as text: one field or list element a line, indented by depth.
pub fn dump(module: &Module) -> String {
    print(module, false)
}

/// As `dump`, with `@start..end` after the name of every node that has a span.
pub fn dump_with_spans(module: &Module) -> String {
    print(module, true)
}

fn print(module: &Module, spans: bool) -> String {
    let mut printer = Printer { out: String::new(), depth: 0, spans, span: None };
    match module {
        Module::Module { body } => {
            printer.node("Module", &[("body", Field::Stmts(body)), ("type_ignores", NONE)])
        }
        Module::Interactive { body } => printer.node("Interactive", &[("body", Field::Stmts(body))]),
        Module::Expression { body } => printer.node("Expression", &[("body", Field::Expr(body))]),
    }
    printer.out
}

/// An empty list.
const NONE: Field<'static> = Field::Stmts(&[]);

/// What a field of a node holds.
enum Field<'a> {
    Expr(&'a Expr),
    OptionalExpr(&'a Option<Box<Expr>>),
    Exprs(&'a [Expr]),
    OptionalExprs(&'a [Option<Expr>]),
    Stmts(&'a [Stmt]),
    Name(&'a str),
    OptionalName(Option<&'a str>),
    Names(&'a [Identifier]),
    Constant(&'a Constant),
    Number(i64),
    /// A node without fields.
    Plain(&'a str),
    Plains(Vec<String>),
    Arguments(&'a Arguments),
    OptionalArg(&'a Option<Box<Arg>>),
    Args(&'a [Arg]),
    Keywords(&'a [Keyword]),
    Aliases(&'a [Alias]),
    Items(&'a [WithItem]),
    Handlers(&'a [ExceptHandler]),
    Clauses(&'a [Comprehension]),
    Cases(&'a [MatchCase]),
    Pattern(&'a Pattern),
    OptionalPattern(&'a Option<Box<Pattern>>),
    Patterns(&'a [Pattern]),
}

struct Printer {
    out: String,
    depth: usize,
    spans: bool,
    /// The span of the node about to be printed.
    span: Option<Span>,
}

impl Printer {
    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push(' ');
        }
    }

    fn node(&mut self, name: &str, fields: &[(&str, Field)]) {
        self.out.push_str(name);
        if let Some(Span { start, end }) = self.span.take().filter(|_| self.spans) {
            self.out.push_str(&format!("@{start}..{end}"));
        }
        self.out.push('(');
        self.depth += 1;
        let mut first = true;
        for (name, field) in fields {
            if field.is_absent() {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            self.line();
            self.out.push_str(name);
            self.out.push('=');
            self.field(field);
        }
        self.depth -= 1;
        self.out.push(')');
    }

    fn list<X>(&mut self, items: &[X], print: impl Fn(&mut Printer, &X)) {
        self.out.push('[');
        self.depth += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.line();
            print(self, item);
        }
        self.depth -= 1;
        self.out.push(']');
    }

    fn field(&mut self, field: &Field) {
        match field {
            Field::Expr(expr) => self.expr(expr),
            Field::OptionalExpr(expr) => self.optional(expr.as_deref(), Printer::expr),
            Field::Exprs(exprs) => self.list(exprs, Printer::expr),
            Field::OptionalExprs(exprs) => {
                self.list(exprs, |out, expr| out.optional(expr.as_ref(), Printer::expr))
            }
            Field::Stmts(stmts) => self.list(stmts, Printer::stmt),
            Field::Name(name) => self.out.push_str(&quoted(name)),
            Field::OptionalName(name) => self.optional(*name, |out, name| out.out.push_str(&quoted(name))),
            Field::Names(names) => self.list(names, |out, name| out.out.push_str(&quoted(name))),
            Field::Constant(value) => self.out.push_str(&constant(value)),
            Field::Number(number) => self.out.push_str(&number.to_string()),
            Field::Plain(name) => self.node(name, &[]),
            Field::Plains(names) => self.list(names, |out, name| out.node(name, &[])),
            Field::Arguments(arguments) => self.arguments(arguments),
            Field::OptionalArg(arg) => self.optional(arg.as_deref(), Printer::arg),
            Field::Args(args) => self.list(args, Printer::arg),
            Field::Keywords(keywords) => self.list(keywords, Printer::keyword),
            Field::Aliases(aliases) => self.list(aliases, Printer::alias),
            Field::Items(items) => self.list(items, Printer::with_item),
            Field::Handlers(handlers) => self.list(handlers, Printer::handler),
            Field::Clauses(clauses) => self.list(clauses, Printer::clause),
            Field::Cases(cases) => self.list(cases, Printer::case),
            Field::Pattern(pattern) => self.pattern(pattern),
            Field::OptionalPattern(pattern) => self.optional(pattern.as_deref(), Printer::pattern),
            Field::Patterns(patterns) => self.list(patterns, Printer::pattern),
        }
    }

    fn optional<X: ?Sized>(&mut self, item: Option<&X>, print: impl Fn(&mut Printer, &X)) {
        match item {
            Some(item) => print(self, item),
            None => self.out.push_str("None"),
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        self.span = Some(stmt.span);
        use Field as F;
        use StmtKind as S;
        match &stmt.kind {
            S::FunctionDef(function) => self.function("FunctionDef", function),
            S::AsyncFunctionDef(function) => self.function("AsyncFunctionDef", function),
            S::ClassDef(class) => self.node(
                "ClassDef",
                &[
                    ("name", F::Name(&class.name)),
                    ("bases", F::Exprs(&class.bases)),
                    ("keywords", F::Keywords(&class.keywords)),
                    ("body", F::Stmts(&class.body)),
                    ("decorator_list", F::Exprs(&class.decorator_list)),
                ],
            ),
            S::Return { value } => self.node("Return", &[("value", F::OptionalExpr(value))]),
            S::Delete { targets } => self.node("Delete", &[("targets", F::Exprs(targets))]),
            S::Assign { targets, value } => {
                self.node("Assign", &[("targets", F::Exprs(targets)), ("value", F::Expr(value))]);
            }
            S::AugAssign { target, op, value } => {
                let op = format!("{op:?}");
                let fields = [("target", F::Expr(target)), ("op", F::Plain(&op)), ("value", F::Expr(value))];
                self.node("AugAssign", &fields);
            }
            S::AnnAssign { target, annotation, value, simple } => self.node(
                "AnnAssign",
                &[
                    ("target", F::Expr(target)),
                    ("annotation", F::Expr(annotation)),
                    ("value", F::OptionalExpr(value)),
                    ("simple", F::Number(i64::from(*simple))),
                ],
            ),
            S::For { target, iter, body, orelse } => self.loop_over("For", [target, iter], [body, orelse]),
            S::AsyncFor { target, iter, body, orelse } => {
                self.loop_over("AsyncFor", [target, iter], [body, orelse]);
            }
            S::While { test, body, orelse } => self.branch("While", test, [body, orelse]),
            S::If { test, body, orelse } => self.branch("If", test, [body, orelse]),
            S::With { items, body } => {
                self.node("With", &[("items", F::Items(items)), ("body", F::Stmts(body))])
            }
            S::AsyncWith { items, body } => {
                self.node("AsyncWith", &[("items", F::Items(items)), ("body", F::Stmts(body))]);
            }
            S::Match { subject, cases } => {
                self.node("Match", &[("subject", F::Expr(subject)), ("cases", F::Cases(cases))]);
            }
            S::Raise { exc, cause } => {
                self.node("Raise", &[("exc", F::OptionalExpr(exc)), ("cause", F::OptionalExpr(cause))]);
            }
            S::Try { body, handlers, orelse, finalbody } => {
                self.try_statement("Try", handlers, [body, orelse, finalbody]);
            }
            S::TryStar { body, handlers, orelse, finalbody } => {
                self.try_statement("TryStar", handlers, [body, orelse, finalbody]);
            }
            S::Assert { test, msg } => {
                self.node("Assert", &[("test", F::Expr(test)), ("msg", F::OptionalExpr(msg))]);
            }
            S::Import { names } => self.node("Import", &[("names", F::Aliases(names))]),
            S::ImportFrom { module, names, level } => self.node(
                "ImportFrom",
                &[
                    ("module", F::OptionalName(module.as_deref())),
                    ("names", F::Aliases(names)),
                    ("level", F::Number(i64::from(*level))),
                ],
            ),
            S::Global { names } => self.node("Global", &[("names", F::Names(names))]),
            S::Nonlocal { names } => self.node("Nonlocal", &[("names", F::Names(names))]),
            S::Expr { value } => self.node("Expr", &[("value", F::Expr(value))]),
            S::Pass => self.node("Pass", &[]),
            S::Break => self.node("Break", &[]),
            S::Continue => self.node("Continue", &[]),
        }
    }

    fn function(&mut self, name: &str, function: &FunctionDef) {
        self.node(
            name,
            &[
                ("name", Field::Name(&function.name)),
                ("args", Field::Arguments(&function.args)),
                ("body", Field::Stmts(&function.body)),
                ("decorator_list", Field::Exprs(&function.decorator_list)),
                ("returns", Field::OptionalExpr(&function.returns)),
            ],
        );
    }

    fn loop_over(&mut self, name: &str, [target, iter]: [&Expr; 2], [body, orelse]: [&[Stmt]; 2]) {
        self.node(
            name,
            &[
                ("target", Field::Expr(target)),
                ("iter", Field::Expr(iter)),
                ("body", Field::Stmts(body)),
                ("orelse", Field::Stmts(orelse)),
            ],
        );
    }

    fn branch(&mut self, name: &str, test: &Expr, [body, orelse]: [&[Stmt]; 2]) {
        let fields =
            [("test", Field::Expr(test)), ("body", Field::Stmts(body)), ("orelse", Field::Stmts(orelse))];
        self.node(name, &fields);
    }

    fn try_statement(
        &mut self,
        name: &str,
        handlers: &[ExceptHandler],
        [body, orelse, finalbody]: [&[Stmt]; 3],
    ) {
        self.node(
            name,
            &[
                ("body", Field::Stmts(body)),
                ("handlers", Field::Handlers(handlers)),
                ("orelse", Field::Stmts(orelse)),
                ("finalbody", Field::Stmts(finalbody)),
            ],
        );
    }

    fn expr(&mut self, expr: &Expr) {
        self.span = Some(expr.span);
        use ExprKind as E;
        use Field as F;
        match &expr.kind {
            E::BoolOp { op, values } => {
                self.node("BoolOp", &[("op", F::Plain(&format!("{op:?}"))), ("values", F::Exprs(values))]);
            }
            E::NamedExpr { target, value } => {
                self.node("NamedExpr", &[("target", F::Expr(target)), ("value", F::Expr(value))]);
            }
            E::BinOp { left, op, right } => {
                let op = format!("{op:?}");
                self.node(
                    "BinOp",
                    &[("left", F::Expr(left)), ("op", F::Plain(&op)), ("right", F::Expr(right))],
                );
            }
            E::UnaryOp { op, operand } => {
                self.node("UnaryOp", &[("op", F::Plain(&format!("{op:?}"))), ("operand", F::Expr(operand))]);
            }
            E::Lambda { args, body } => {
                self.node("Lambda", &[("args", F::Arguments(args)), ("body", F::Expr(body))]);
            }
            E::IfExp { test, body, orelse } => {
                let fields = [("test", F::Expr(test)), ("body", F::Expr(body)), ("orelse", F::Expr(orelse))];
                self.node("IfExp", &fields);
            }
            E::Dict { keys, values } => {
                self.node("Dict", &[("keys", F::OptionalExprs(keys)), ("values", F::Exprs(values))]);
            }
            E::Set { elts } => self.node("Set", &[("elts", F::Exprs(elts))]),
            E::ListComp { elt, generators } => self.comprehension("ListComp", elt, generators),
            E::SetComp { elt, generators } => self.comprehension("SetComp", elt, generators),
            E::GeneratorExp { elt, generators } => self.comprehension("GeneratorExp", elt, generators),
            E::DictComp { key, value, generators } => self.node(
                "DictComp",
                &[("key", F::Expr(key)), ("value", F::Expr(value)), ("generators", F::Clauses(generators))],
            ),
            E::Await { value } => self.node("Await", &[("value", F::Expr(value))]),
            E::Yield { value } => self.node("Yield", &[("value", F::OptionalExpr(value))]),
            E::YieldFrom { value } => self.node("YieldFrom", &[("value", F::Expr(value))]),
            E::Compare { left, ops, comparators } => {
                let ops = F::Plains(ops.iter().map(|op| format!("{op:?}")).collect());
                self.node(
                    "Compare",
                    &[("left", F::Expr(left)), ("ops", ops), ("comparators", F::Exprs(comparators))],
                );
            }
            E::Call { func, args, keywords } => self.node(
                "Call",
                &[("func", F::Expr(func)), ("args", F::Exprs(args)), ("keywords", F::Keywords(keywords))],
            ),
            E::FormattedValue { value, conversion, format_spec } => self.node(
                "FormattedValue",
                &[
                    ("value", F::Expr(value)),
                    ("conversion", F::Number(conversion.map_or(-1, |letter| i64::from(letter as u32)))),
                    ("format_spec", F::OptionalExpr(format_spec)),
                ],
            ),
            E::JoinedStr { values } => self.node("JoinedStr", &[("values", F::Exprs(values))]),
            E::Constant { value } => self.node("Constant", &[("value", F::Constant(value))]),
            E::Attribute { value, attr, ctx } => {
                let ctx = format!("{ctx:?}");
                self.node(
                    "Attribute",
                    &[("value", F::Expr(value)), ("attr", F::Name(attr)), ("ctx", F::Plain(&ctx))],
                );
            }
            E::Subscript { value, slice, ctx } => {
                let ctx = format!("{ctx:?}");
                let fields = [("value", F::Expr(value)), ("slice", F::Expr(slice)), ("ctx", F::Plain(&ctx))];
                self.node("Subscript", &fields);
            }
            E::Starred { value, ctx } => {
                self.node("Starred", &[("value", F::Expr(value)), ("ctx", F::Plain(&format!("{ctx:?}")))]);
            }
            E::Name { id, ctx } => {
                self.node("Name", &[("id", F::Name(id)), ("ctx", F::Plain(&format!("{ctx:?}")))]);
            }
            E::List { elts, ctx } => {
                self.node("List", &[("elts", F::Exprs(elts)), ("ctx", F::Plain(&format!("{ctx:?}")))]);
            }
            E::Tuple { elts, ctx } => {
                self.node("Tuple", &[("elts", F::Exprs(elts)), ("ctx", F::Plain(&format!("{ctx:?}")))]);
            }
            E::Slice { lower, upper, step } => self.node(
                "Slice",
                &[
                    ("lower", F::OptionalExpr(lower)),
                    ("upper", F::OptionalExpr(upper)),
                    ("step", F::OptionalExpr(step)),
                ],
            ),
        }
    }

    fn comprehension(&mut self, name: &str, elt: &Expr, generators: &[Comprehension]) {
        self.node(name, &[("elt", Field::Expr(elt)), ("generators", Field::Clauses(generators))]);
    }

    fn arguments(&mut self, arguments: &Arguments) {
        self.node(
            "arguments",
            &[
                ("posonlyargs", Field::Args(&arguments.posonlyargs)),
                ("args", Field::Args(&arguments.args)),
                ("vararg", Field::OptionalArg(&arguments.vararg)),
                ("kwonlyargs", Field::Args(&arguments.kwonlyargs)),
                ("kw_defaults", Field::OptionalExprs(&arguments.kw_defaults)),
                ("kwarg", Field::OptionalArg(&arguments.kwarg)),
                ("defaults", Field::Exprs(&arguments.defaults)),
            ],
        );
    }

    fn arg(&mut self, arg: &Arg) {
        self.span = Some(arg.span);
        self.node(
            "arg",
            &[("arg", Field::Name(&arg.arg)), ("annotation", Field::OptionalExpr(&arg.annotation))],
        );
    }

    fn keyword(&mut self, keyword: &Keyword) {
        self.span = Some(keyword.span);
        let name = keyword.arg.as_deref();
        self.node("keyword", &[("arg", Field::OptionalName(name)), ("value", Field::Expr(&keyword.value))]);
    }

    fn alias(&mut self, alias: &Alias) {
        self.span = Some(alias.span);
        let asname = alias.asname.as_deref();
        self.node("alias", &[("name", Field::Name(&alias.name)), ("asname", Field::OptionalName(asname))]);
    }

    fn with_item(&mut self, item: &WithItem) {
        self.node(
            "withitem",
            &[
                ("context_expr", Field::Expr(&item.context_expr)),
                ("optional_vars", Field::OptionalExpr(&item.optional_vars)),
            ],
        );
    }

    fn handler(&mut self, handler: &ExceptHandler) {
        self.span = Some(handler.span);
        self.node(
            "ExceptHandler",
            &[
                ("type", Field::OptionalExpr(&handler.type_)),
                ("name", Field::OptionalName(handler.name.as_deref())),
                ("body", Field::Stmts(&handler.body)),
            ],
        );
    }

    fn clause(&mut self, clause: &Comprehension) {
        self.node(
            "comprehension",
            &[
                ("target", Field::Expr(&clause.target)),
                ("iter", Field::Expr(&clause.iter)),
                ("ifs", Field::Exprs(&clause.ifs)),
                ("is_async", Field::Number(i64::from(clause.is_async))),
            ],
        );
    }

    fn case(&mut self, case: &MatchCase) {
        self.node(
            "match_case",
            &[
                ("pattern", Field::Pattern(&case.pattern)),
                ("guard", Field::OptionalExpr(&case.guard)),
                ("body", Field::Stmts(&case.body)),
            ],
        );
    }

    fn pattern(&mut self, pattern: &Pattern) {
        self.span = Some(pattern.span);
        use Field as F;
        use PatternKind as P;
        match &pattern.kind {
            P::MatchValue { value } => self.node("MatchValue", &[("value", F::Expr(value))]),
            P::MatchSingleton { value } => self.node("MatchSingleton", &[("value", F::Constant(value))]),
            P::MatchSequence { patterns } => {
                self.node("MatchSequence", &[("patterns", F::Patterns(patterns))])
            }
            P::MatchMapping { keys, patterns, rest } => self.node(
                "MatchMapping",
                &[
                    ("keys", F::Exprs(keys)),
                    ("patterns", F::Patterns(patterns)),
                    ("rest", F::OptionalName(rest.as_deref())),
                ],
            ),
            P::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => self.node(
                "MatchClass",
                &[
                    ("cls", F::Expr(cls)),
                    ("patterns", F::Patterns(patterns)),
                    ("kwd_attrs", F::Names(kwd_attrs)),
                    ("kwd_patterns", F::Patterns(kwd_patterns)),
                ],
            ),
            P::MatchStar { name } => self.node("MatchStar", &[("name", F::OptionalName(name.as_deref()))]),
            P::MatchAs { pattern, name } => self.node(
                "MatchAs",
                &[("pattern", F::OptionalPattern(pattern)), ("name", F::OptionalName(name.as_deref()))],
            ),
            P::MatchOr { patterns } => self.node("MatchOr", &[("patterns", F::Patterns(patterns))]),
        }
    }
}

impl Field<'_> {
    /// Whether the field is optional and not there; such fields are left out.
    fn is_absent(&self) -> bool {
        match self {
            Field::OptionalExpr(None) | Field::OptionalName(None) => true,
            Field::OptionalArg(None) | Field::OptionalPattern(None) => true,
            _ => false,
        }
    }
}

/// A string with everything but plain ASCII escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for letter in text.chars() {
        match letter {
            '\\' | '\'' => out.extend(['\\', letter]),
            ' '..='~' => out.push(letter),
            _ => out.push_str(&format!("\\u{{{:x}}}", letter as u32)),
        }
    }
    out.push('\'');
    out
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::None => "None".to_string(),
        Constant::True => "True".to_string(),
        Constant::False => "False".to_string(),
        Constant::Ellipsis => "Ellipsis".to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::BigInt { radix: 16, digits } => format!("0x{digits}"),
        Constant::BigInt { digits, .. } => digits.to_string(),
        Constant::Float(value) => format!("{value:e}"),
        Constant::Str(value) => quoted(value),
        Constant::Bytes(value) => {
            let letters: String = value.iter().map(|&byte| char::from(byte)).collect();
            format!("b{}", quoted(&letters))
        }
    }
}
