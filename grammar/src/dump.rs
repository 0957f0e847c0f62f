//! Prints a tree the way CPython's `ast.dump(tree, indent=1)` does, so that the two can be compared. Big
//! integers are the one difference: they are printed as `0x…` where the tree holds them so.

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
    let mut printer = Printer { out: String::new(), depth: 0, spans, span: None, work: Vec::new() };
    match module {
        Module::Module { body } => {
            printer.node("Module", [("body", Field::stmts(body)), ("type_ignores", Field::List(vec![]))]);
        }
        Module::Interactive { body } => printer.node("Interactive", [("body", Field::stmts(body))]),
        Module::Expression { body } => printer.node("Expression", [("body", Field::Expr(body))]),
    }
    printer.run();
    printer.out
}

/// What a field of a node holds.
enum Field<'a> {
    /// An optional field that is not there; such fields are left out, but elements of lists are printed as
    /// `None`.
    Absent,
    /// Anything printed as it is.
    Text(String),
    List(Vec<Field<'a>>),
    Stmt(&'a Stmt),
    Expr(&'a Expr),
    Arguments(&'a Arguments),
    Arg(&'a Arg),
    Keyword(&'a Keyword),
    Alias(&'a Alias),
    Item(&'a WithItem),
    Handler(&'a ExceptHandler),
    Clause(&'a Comprehension),
    Case(&'a MatchCase),
    Pattern(&'a Pattern),
}

impl<'a> Field<'a> {
    fn stmts(body: &'a [Stmt]) -> Field<'a> {
        Field::List(body.iter().map(Field::Stmt).collect())
    }

    fn exprs(exprs: &'a [Expr]) -> Field<'a> {
        Field::List(exprs.iter().map(Field::Expr).collect())
    }

    fn optional_exprs(exprs: &'a [Option<Expr>]) -> Field<'a> {
        Field::List(exprs.iter().map(|expr| expr.as_ref().map_or(Field::Absent, Field::Expr)).collect())
    }

    fn optional(expr: &'a Option<Box<Expr>>) -> Field<'a> {
        expr.as_deref().map_or(Field::Absent, Field::Expr)
    }

    fn patterns(patterns: &'a [Pattern]) -> Field<'a> {
        Field::List(patterns.iter().map(Field::Pattern).collect())
    }

    fn args(args: &'a [Arg]) -> Field<'a> {
        Field::List(args.iter().map(Field::Arg).collect())
    }

    fn optional_arg(arg: &'a Option<Box<Arg>>) -> Field<'a> {
        arg.as_deref().map_or(Field::Absent, Field::Arg)
    }

    fn clauses(clauses: &'a [Comprehension]) -> Field<'a> {
        Field::List(clauses.iter().map(Field::Clause).collect())
    }

    fn keywords(keywords: &'a [Keyword]) -> Field<'a> {
        Field::List(keywords.iter().map(Field::Keyword).collect())
    }

    fn aliases(aliases: &'a [Alias]) -> Field<'a> {
        Field::List(aliases.iter().map(Field::Alias).collect())
    }

    fn items(items: &'a [WithItem]) -> Field<'a> {
        Field::List(items.iter().map(Field::Item).collect())
    }

    fn handlers(handlers: &'a [ExceptHandler]) -> Field<'a> {
        Field::List(handlers.iter().map(Field::Handler).collect())
    }

    fn cases(cases: &'a [MatchCase]) -> Field<'a> {
        Field::List(cases.iter().map(Field::Case).collect())
    }

    fn name(name: &str) -> Field<'a> {
        Field::Text(quoted(name))
    }

    fn optional_name(given: Option<&str>) -> Field<'a> {
        given.map_or(Field::Absent, Field::name)
    }

    fn names(names: &'a [Identifier]) -> Field<'a> {
        Field::List(names.iter().map(|id| Field::name(id)).collect())
    }

    /// An operator or context: a node without fields.
    fn plain(node: impl std::fmt::Debug) -> Field<'a> {
        Field::Text(format!("{node:?}()"))
    }

    fn number(number: impl Into<i64>) -> Field<'a> {
        Field::Text(number.into().to_string())
    }
}

/// What is left to print.
enum Task<'a> {
    Text(&'static str),
    /// A field or element, after a comma if it is not the first, on a line of its own.
    Line {
        depth: usize,
        comma: bool,
        label: &'static str,
        field: Field<'a>,
    },
}

/// Keeps what is left to do on a stack of its own, so that a deep tree needs no deep recursion.
struct Printer<'a> {
    out: String,
    depth: usize,
    spans: bool,
    /// The span of the node about to be printed.
    span: Option<Span>,
    work: Vec<Task<'a>>,
}

impl<'a> Printer<'a> {
    fn run(&mut self) {
        while let Some(task) = self.work.pop() {
            match task {
                Task::Text(text) => self.out.push_str(text),
                Task::Line { depth, comma, label, field } => {
                    self.depth = depth;
                    self.out.push_str(if comma { ",\n" } else { "\n" });
                    self.out.extend(std::iter::repeat_n(' ', depth));
                    if !label.is_empty() {
                        self.out.push_str(label);
                        self.out.push('=');
                    }
                    self.field(field);
                }
            }
        }
    }

    fn node<const N: usize>(&mut self, name: &str, fields: [(&'static str, Field<'a>); N]) {
        self.out.push_str(name);
        if let Some(Span { start, end }) = self.span.take().filter(|_| self.spans) {
            self.out.push_str(&format!("@{start}..{end}"));
        }
        self.out.push('(');
        let present = fields.into_iter().filter(|(_, field)| !matches!(field, Field::Absent));
        self.lines(present.collect(), ")");
    }

    fn lines(&mut self, fields: Vec<(&'static str, Field<'a>)>, end: &'static str) {
        self.work.push(Task::Text(end));
        let depth = self.depth + 1;
        for (at, (label, field)) in fields.into_iter().enumerate().rev() {
            self.work.push(Task::Line { depth, comma: at > 0, label, field });
        }
    }

    fn field(&mut self, field: Field<'a>) {
        match field {
            Field::Absent => self.out.push_str("None"),
            Field::Text(text) => self.out.push_str(&text),
            Field::List(fields) => {
                self.out.push('[');
                self.lines(fields.into_iter().map(|field| ("", field)).collect(), "]");
            }
            Field::Stmt(stmt) => self.stmt(stmt),
            Field::Expr(expr) => self.expr(expr),
            Field::Arguments(arguments) => self.arguments(arguments),
            Field::Arg(arg) => self.arg(arg),
            Field::Keyword(keyword) => self.keyword(keyword),
            Field::Alias(alias) => self.alias(alias),
            Field::Item(item) => self.with_item(item),
            Field::Handler(handler) => self.handler(handler),
            Field::Clause(clause) => self.clause(clause),
            Field::Case(case) => self.case(case),
            Field::Pattern(pattern) => self.pattern(pattern),
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        self.span = Some(stmt.span);

        use StmtKind as S;
        match &stmt.kind {
            S::FunctionDef(function) => self.function("FunctionDef", function),
            S::AsyncFunctionDef(function) => self.function("AsyncFunctionDef", function),
            S::ClassDef(class) => self.node(
                "ClassDef",
                [
                    ("name", Field::name(&class.name)),
                    ("bases", Field::exprs(&class.bases)),
                    ("keywords", Field::keywords(&class.keywords)),
                    ("body", Field::stmts(&class.body)),
                    ("decorator_list", Field::exprs(&class.decorator_list)),
                ],
            ),
            S::Return { value } => self.node("Return", [("value", Field::optional(value))]),
            S::Delete { targets } => self.node("Delete", [("targets", Field::exprs(targets))]),
            S::Assign { targets, value } => {
                self.node("Assign", [("targets", Field::exprs(targets)), ("value", Field::Expr(value))]);
            }
            S::AugAssign { target, op, value } => {
                let fields = [
                    ("target", Field::Expr(target)),
                    ("op", Field::plain(op)),
                    ("value", Field::Expr(value)),
                ];
                self.node("AugAssign", fields);
            }
            S::AnnAssign { target, annotation, value, simple } => self.node(
                "AnnAssign",
                [
                    ("target", Field::Expr(target)),
                    ("annotation", Field::Expr(annotation)),
                    ("value", Field::optional(value)),
                    ("simple", Field::number(*simple)),
                ],
            ),
            S::For { target, iter, body, orelse } => self.loop_over("For", [target, iter], [body, orelse]),
            S::AsyncFor { target, iter, body, orelse } => {
                self.loop_over("AsyncFor", [target, iter], [body, orelse]);
            }
            S::While { test, body, orelse } => self.branch("While", test, [body, orelse]),
            S::If { test, body, orelse } => self.branch("If", test, [body, orelse]),
            S::With { items, body } => {
                self.node("With", [("items", Field::items(items)), ("body", Field::stmts(body))])
            }
            S::AsyncWith { items, body } => {
                self.node("AsyncWith", [("items", Field::items(items)), ("body", Field::stmts(body))]);
            }
            S::Match { subject, cases } => {
                self.node("Match", [("subject", Field::Expr(subject)), ("cases", Field::cases(cases))]);
            }
            S::Raise { exc, cause } => {
                self.node("Raise", [("exc", Field::optional(exc)), ("cause", Field::optional(cause))]);
            }
            S::Try { body, handlers, orelse, finalbody } => {
                self.try_statement("Try", handlers, [body, orelse, finalbody]);
            }
            S::TryStar { body, handlers, orelse, finalbody } => {
                self.try_statement("TryStar", handlers, [body, orelse, finalbody]);
            }
            S::Assert { test, msg } => {
                self.node("Assert", [("test", Field::Expr(test)), ("msg", Field::optional(msg))]);
            }
            S::Import { names } => self.node("Import", [("names", Field::aliases(names))]),
            S::ImportFrom { module, names, level } => self.node(
                "ImportFrom",
                [
                    ("module", Field::optional_name(module.as_deref())),
                    ("names", Field::aliases(names)),
                    ("level", Field::number(*level)),
                ],
            ),
            S::Global { names } => self.node("Global", [("names", Field::names(names))]),
            S::Nonlocal { names } => self.node("Nonlocal", [("names", Field::names(names))]),
            S::Expr { value } => self.node("Expr", [("value", Field::Expr(value))]),
            S::Pass => self.node("Pass", []),
            S::Break => self.node("Break", []),
            S::Continue => self.node("Continue", []),
        }
    }

    fn function(&mut self, name: &str, function: &'a FunctionDef) {
        self.node(
            name,
            [
                ("name", Field::name(&function.name)),
                ("args", Field::Arguments(&function.args)),
                ("body", Field::stmts(&function.body)),
                ("decorator_list", Field::exprs(&function.decorator_list)),
                ("returns", Field::optional(&function.returns)),
            ],
        );
    }

    fn loop_over(&mut self, name: &str, [target, iter]: [&'a Expr; 2], [body, orelse]: [&'a [Stmt]; 2]) {
        self.node(
            name,
            [
                ("target", Field::Expr(target)),
                ("iter", Field::Expr(iter)),
                ("body", Field::stmts(body)),
                ("orelse", Field::stmts(orelse)),
            ],
        );
    }

    fn branch(&mut self, name: &str, test: &'a Expr, [body, orelse]: [&'a [Stmt]; 2]) {
        let fields =
            [("test", Field::Expr(test)), ("body", Field::stmts(body)), ("orelse", Field::stmts(orelse))];
        self.node(name, fields);
    }

    fn try_statement(
        &mut self,
        name: &str,
        handlers: &'a [ExceptHandler],
        [body, orelse, finalbody]: [&'a [Stmt]; 3],
    ) {
        self.node(
            name,
            [
                ("body", Field::stmts(body)),
                ("handlers", Field::handlers(handlers)),
                ("orelse", Field::stmts(orelse)),
                ("finalbody", Field::stmts(finalbody)),
            ],
        );
    }

    fn expr(&mut self, expr: &'a Expr) {
        self.span = Some(expr.span);
        use ExprKind as E;

        match &expr.kind {
            E::BoolOp { op, values } => {
                self.node("BoolOp", [("op", Field::plain(op)), ("values", Field::exprs(values))]);
            }
            E::NamedExpr { target, value } => {
                self.node("NamedExpr", [("target", Field::Expr(target)), ("value", Field::Expr(value))]);
            }
            E::BinOp { left, op, right } => {
                self.node(
                    "BinOp",
                    [("left", Field::Expr(left)), ("op", Field::plain(op)), ("right", Field::Expr(right))],
                );
            }
            E::UnaryOp { op, operand } => {
                self.node("UnaryOp", [("op", Field::plain(op)), ("operand", Field::Expr(operand))]);
            }
            E::Lambda { args, body } => {
                self.node("Lambda", [("args", Field::Arguments(args)), ("body", Field::Expr(body))]);
            }
            E::IfExp { test, body, orelse } => {
                let fields = [
                    ("test", Field::Expr(test)),
                    ("body", Field::Expr(body)),
                    ("orelse", Field::Expr(orelse)),
                ];
                self.node("IfExp", fields);
            }
            E::Dict { keys, values } => {
                self.node("Dict", [("keys", Field::optional_exprs(keys)), ("values", Field::exprs(values))]);
            }
            E::Set { elts } => self.node("Set", [("elts", Field::exprs(elts))]),
            E::ListComp { elt, generators } => self.comprehension("ListComp", elt, generators),
            E::SetComp { elt, generators } => self.comprehension("SetComp", elt, generators),
            E::GeneratorExp { elt, generators } => self.comprehension("GeneratorExp", elt, generators),
            E::DictComp { key, value, generators } => self.node(
                "DictComp",
                [
                    ("key", Field::Expr(key)),
                    ("value", Field::Expr(value)),
                    ("generators", Field::clauses(generators)),
                ],
            ),
            E::Await { value } => self.node("Await", [("value", Field::Expr(value))]),
            E::Yield { value } => self.node("Yield", [("value", Field::optional(value))]),
            E::YieldFrom { value } => self.node("YieldFrom", [("value", Field::Expr(value))]),
            E::Compare { left, ops, comparators } => {
                let ops = Field::List(ops.iter().map(Field::plain).collect());
                self.node(
                    "Compare",
                    [("left", Field::Expr(left)), ("ops", ops), ("comparators", Field::exprs(comparators))],
                );
            }
            E::Call { func, args, keywords } => self.node(
                "Call",
                [
                    ("func", Field::Expr(func)),
                    ("args", Field::exprs(args)),
                    ("keywords", Field::keywords(keywords)),
                ],
            ),
            E::FormattedValue { value, conversion, format_spec } => self.node(
                "FormattedValue",
                [
                    ("value", Field::Expr(value)),
                    ("conversion", Field::number(conversion.map_or(-1, |letter| i64::from(letter as u32)))),
                    ("format_spec", Field::optional(format_spec)),
                ],
            ),
            E::JoinedStr { values } => self.node("JoinedStr", [("values", Field::exprs(values))]),
            E::Constant { value } => self.node("Constant", [("value", Field::Text(constant(value)))]),
            E::Attribute { value, attr, ctx } => {
                self.node(
                    "Attribute",
                    [("value", Field::Expr(value)), ("attr", Field::name(attr)), ("ctx", Field::plain(ctx))],
                );
            }
            E::Subscript { value, slice, ctx } => {
                let fields = [
                    ("value", Field::Expr(value)),
                    ("slice", Field::Expr(slice)),
                    ("ctx", Field::plain(ctx)),
                ];
                self.node("Subscript", fields);
            }
            E::Starred { value, ctx } => {
                self.node("Starred", [("value", Field::Expr(value)), ("ctx", Field::plain(ctx))]);
            }
            E::Name { id, ctx } => {
                self.node("Name", [("id", Field::name(id)), ("ctx", Field::plain(ctx))]);
            }
            E::List { elts, ctx } => {
                self.node("List", [("elts", Field::exprs(elts)), ("ctx", Field::plain(ctx))]);
            }
            E::Tuple { elts, ctx } => {
                self.node("Tuple", [("elts", Field::exprs(elts)), ("ctx", Field::plain(ctx))]);
            }
            E::Slice { lower, upper, step } => self.node(
                "Slice",
                [
                    ("lower", Field::optional(lower)),
                    ("upper", Field::optional(upper)),
                    ("step", Field::optional(step)),
                ],
            ),
        }
    }

    fn comprehension(&mut self, name: &str, elt: &'a Expr, generators: &'a [Comprehension]) {
        self.node(name, [("elt", Field::Expr(elt)), ("generators", Field::clauses(generators))]);
    }

    fn arguments(&mut self, arguments: &'a Arguments) {
        self.node(
            "arguments",
            [
                ("posonlyargs", Field::args(&arguments.posonlyargs)),
                ("args", Field::args(&arguments.args)),
                ("vararg", Field::optional_arg(&arguments.vararg)),
                ("kwonlyargs", Field::args(&arguments.kwonlyargs)),
                ("kw_defaults", Field::optional_exprs(&arguments.kw_defaults)),
                ("kwarg", Field::optional_arg(&arguments.kwarg)),
                ("defaults", Field::exprs(&arguments.defaults)),
            ],
        );
    }

    fn arg(&mut self, arg: &'a Arg) {
        self.span = Some(arg.span);
        self.node("arg", [("arg", Field::name(&arg.arg)), ("annotation", Field::optional(&arg.annotation))]);
    }

    fn keyword(&mut self, keyword: &'a Keyword) {
        self.span = Some(keyword.span);
        let name = keyword.arg.as_deref();
        self.node("keyword", [("arg", Field::optional_name(name)), ("value", Field::Expr(&keyword.value))]);
    }

    fn alias(&mut self, alias: &'a Alias) {
        self.span = Some(alias.span);
        let asname = alias.asname.as_deref();
        self.node("alias", [("name", Field::name(&alias.name)), ("asname", Field::optional_name(asname))]);
    }

    fn with_item(&mut self, item: &'a WithItem) {
        self.node(
            "withitem",
            [
                ("context_expr", Field::Expr(&item.context_expr)),
                ("optional_vars", Field::optional(&item.optional_vars)),
            ],
        );
    }

    fn handler(&mut self, handler: &'a ExceptHandler) {
        self.span = Some(handler.span);
        self.node(
            "ExceptHandler",
            [
                ("type", Field::optional(&handler.type_)),
                ("name", Field::optional_name(handler.name.as_deref())),
                ("body", Field::stmts(&handler.body)),
            ],
        );
    }

    fn clause(&mut self, clause: &'a Comprehension) {
        self.node(
            "comprehension",
            [
                ("target", Field::Expr(&clause.target)),
                ("iter", Field::Expr(&clause.iter)),
                ("ifs", Field::exprs(&clause.ifs)),
                ("is_async", Field::number(clause.is_async)),
            ],
        );
    }

    fn case(&mut self, case: &'a MatchCase) {
        self.node(
            "match_case",
            [
                ("pattern", Field::Pattern(&case.pattern)),
                ("guard", Field::optional(&case.guard)),
                ("body", Field::stmts(&case.body)),
            ],
        );
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        self.span = Some(pattern.span);

        use PatternKind as P;
        match &pattern.kind {
            P::MatchValue { value } => self.node("MatchValue", [("value", Field::Expr(value))]),
            P::MatchSingleton { value } => {
                self.node("MatchSingleton", [("value", Field::Text(constant(value)))])
            }
            P::MatchSequence { patterns } => {
                self.node("MatchSequence", [("patterns", Field::patterns(patterns))])
            }
            P::MatchMapping { keys, patterns, rest } => self.node(
                "MatchMapping",
                [
                    ("keys", Field::exprs(keys)),
                    ("patterns", Field::patterns(patterns)),
                    ("rest", Field::optional_name(rest.as_deref())),
                ],
            ),
            P::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => self.node(
                "MatchClass",
                [
                    ("cls", Field::Expr(cls)),
                    ("patterns", Field::patterns(patterns)),
                    ("kwd_attrs", Field::names(kwd_attrs)),
                    ("kwd_patterns", Field::patterns(kwd_patterns)),
                ],
            ),
            P::MatchStar { name } => {
                self.node("MatchStar", [("name", Field::optional_name(name.as_deref()))])
            }
            P::MatchAs { pattern, name } => self.node(
                "MatchAs",
                [
                    ("pattern", pattern.as_deref().map_or(Field::Absent, Field::Pattern)),
                    ("name", Field::optional_name(name.as_deref())),
                ],
            ),
            P::MatchOr { patterns } => self.node("MatchOr", [("patterns", Field::patterns(patterns))]),
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
