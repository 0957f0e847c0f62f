//! Imports. Must not know how modules are found.

use super::Fallible;
use super::unit::Compiler;
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::Op;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// What `from __future__ import …` knows; all of it is how the language is anyway.
const FUTURES: &[&str] = &[
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

impl<'a> Compiler<'a> {
    /// `import a.b.c` binds `a`; `import a.b.c as d` binds the module itself.
    pub fn import(&mut self, names: &[Alias]) -> Fallible<()> {
        for alias in names {
            let mark = self.unit.top;
            let module = self.alloc();
            self.load_module(module, &alias.name, Const::None, 0);
            let mut parts = alias.name.split('.');
            let top = parts.next().unwrap_or_default();
            if alias.asname.is_some() {
                for part in parts {
                    let name = self.name_constant(&part.into());
                    self.emit(Op::ImportFrom, module, module, name);
                }
            }
            let target = self.mangle(alias.asname.as_deref().unwrap_or(top));
            self.store_name(&target, module);
            self.unit.top = mark;
        }
        Ok(())
    }

    fn load_module(&mut self, dst: u16, name: &str, fromlist: Const, level: u8) {
        let (name, fromlist) = (self.name_constant(&name.into()), self.constant(fromlist));
        self.emit_x(Op::Import, level, dst, name, fromlist);
    }

    pub fn import_from(
        &mut self,
        stmt: &Stmt,
        module: Option<&str>,
        names: &[Alias],
        level: u32,
    ) -> Fallible<()> {
        let Ok(level) = u8::try_from(level) else { return self.error("too many dots in import", stmt.span) };
        if (module, level) == (Some("__future__"), 0) {
            return self.check_futures(stmt, names);
        }
        let from = self.alloc();
        let list: Vec<Const> = names.iter().map(|alias| Const::Str((&*alias.name).into())).collect();
        self.load_module(from, module.unwrap_or_default(), Const::Tuple(list.into()), level);
        for alias in names {
            if &*alias.name == "*" {
                self.emit(Op::ImportStar, from, 0, 0);
                continue;
            }
            let item = self.alloc();
            let name: Name = (&*alias.name).into();
            let number = self.name_constant(&name);
            self.emit(Op::ImportFrom, item, from, number);
            let target = self.mangle(alias.asname.as_deref().unwrap_or(&alias.name));
            self.store_name(&target, item);
            self.unit.top -= 1;
        }
        Ok(())
    }

    /// Future statements change nothing here, and import nothing; a wrong one is refused.
    fn check_futures(&mut self, stmt: &Stmt, names: &[Alias]) -> Fallible<()> {
        let start = Span::new(stmt.span.start, stmt.span.start);
        for alias in names {
            match &*alias.name {
                "braces" => return self.error("not a chance", start),
                name if !FUTURES.contains(&name) => {
                    return self.error(format!("future feature {name} is not defined"), start);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
